"""A Slurm for each cluster, started by the tests that need one, and what its scripts need beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labhandbook.hpc.clusters import Cluster, load
from tooling.tests.conftest import LACKS, ROOT
from tooling.tests.hpc.slurm import Slurm, missing

CLUSTERS = load(ROOT / "chapters/hpc/clusters.yml")
JOBS = ROOT / "chapters/hpc/jobs"
# What the machine lacks: modules, containers, ARM, squashfs.
# A virtual environment without a pip of its own, which takes seconds: that of the system serves.
PYTHON = f"""\
if [ "$1 $2" = "-m venv" ]; then
  shift 2
  exec {sys.executable} -m venv --system-site-packages --without-pip "$@"
fi
exec {sys.executable} "$@"
"""
STUBS = {
    "module": "exit 0",
    "singularity": """\
while [ "$1" != "${1#-}" ] || [ "$1" = run ] || [ "$1" = exec ] || [ "${1%.sif}" != "$1" ] || [ -z "${1##*:*}" ]; do
  case "$1" in *:/user-software) bound="${1%%:*}";; esac
  shift
done
if [ "$1" = bash ]; then
  exec bash -c "$(printf %s "$3" | sed "s#/user-software#$bound#g")"
fi
exec "$@"
""",
    "uname": 'if [ "$1" = -m ]; then echo aarch64; else exec /usr/bin/uname "$@"; fi',
    "mksquashfs": 'test -d "$1" && : > "$2"',
    "python": PYTHON,
    "python3": PYTHON,
}


@pytest.fixture(scope="session")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the programs that this machine lacks."""
    folder = tmp_path_factory.mktemp("stubs")
    for name, text in STUBS.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return str(folder)


def started(cluster: Cluster, stubs: str, *, wide: bool) -> Iterator[Slurm]:
    """A Slurm of this cluster for as long as somebody needs it."""
    if lacking := missing():
        pytest.skip(LACKS + f"Slurm ({', '.join(lacking)})")
    slurm = Slurm(cluster, wide=wide, stubs=(stubs,))
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()


@pytest.fixture(scope="session", params=[key for key, cluster in CLUSTERS.known.items() if not cluster.retired])
def slurm(request: pytest.FixtureRequest, stubs: str) -> Iterator[Slurm]:
    """Each cluster's Slurm in turn, with nodes that run jobs."""
    yield from started(CLUSTERS.known[request.param], stubs, wide=False)


@pytest.fixture(scope="session", params=["lumi", "roihu"])
def wide(request: pytest.FixtureRequest, stubs: str) -> Iterator[Slurm]:
    """The Slurm of each cluster whose limits are known, with as many nodes as its partitions give."""
    yield from started(CLUSTERS.known[request.param], stubs, wide=True)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory as the chapter makes it, with the job scripts and a program to run."""
    return study(tmp_path / "study")


def study(folder: Path) -> Path:
    """Make such a directory."""
    (folder / "slurm_log").mkdir(parents=True)
    (folder / "train.py").write_text(TRAIN)
    (folder / "requirements.txt").write_text("")
    for path in JOBS.glob("*.sh"):
        # Slurm names another cluster only with a database of accounts, which this one has not.
        text = path.read_text().replace("#SBATCH --clusters=ukko\n", "").replace("--clusters=ukko ", "")
        (folder / path.name).write_text(text)
    env = folder / "env/bin"
    env.mkdir(parents=True)
    (env / "python3").symlink_to(sys.executable)
    (env / "activate").write_text("true\n")
    return folder


TRAIN = """\
import argparse, json, os, pathlib, signal, sys, time

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=1)
parser.add_argument("--rate", type=float, default=0.1)
options = parser.parse_args()
state = pathlib.Path(os.environ.get("RUN_DIR", ".")) / f"state-{os.environ.get('SLURM_JOB_ID')}-{options.seed}.json"
step = json.loads(state.read_text())["step"] if state.exists() else 0
print("starts at step", step, "rate", options.rate, "rank", os.environ.get("RANK", "-"), flush=True)
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
while step < options.steps:
    if stopped:
        state.write_text(json.dumps({"step": step}))
        print("saved at step", step, flush=True)
        sys.exit(0)
    time.sleep(0.1)
    step += 1
print("done at step", step, flush=True)
"""
