"""A Slurm for each cluster, started by the tests that need one, and what its scripts need beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tooling.tests.conftest import ROOT
from tooling.tests.hpc import stubs as stand_ins
from tooling.tests.hpc.slurm import CLUSTERS, Slurm, started

JOBS = ROOT / "chapters/hpc/jobs"
CASES = ROOT / "tooling/tests/cases/hpc"


@pytest.fixture(scope="session")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the programs that this machine lacks."""
    return str(stand_ins.write(tmp_path_factory.mktemp("stubs")))


@pytest.fixture(scope="session", params=[key for key, cluster in CLUSTERS.known.items() if not cluster.retired])
def slurm(request: pytest.FixtureRequest) -> Iterator[Slurm]:
    """Each cluster's Slurm in turn, with nodes that run jobs and an accounting."""
    with started(request.param, accounted=True) as running:
        yield running


@pytest.fixture(scope="session", params=["lumi", "roihu"])
def wide(request: pytest.FixtureRequest) -> Iterator[Slurm]:
    """The Slurm of each cluster whose limits are known, with as many nodes as its partitions give."""
    with started(request.param, wide=True) as running:
        yield running


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
        (folder / path.name).write_text(path.read_text())
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
