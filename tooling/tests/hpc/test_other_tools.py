"""Optuna, submitit, HyperQueue, torchrun and reportseff beside the kit, on a real Slurm."""

from __future__ import annotations

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tooling.tests.conftest import LACKS, run
from tooling.tests.hpc.conftest import JOBS
from tooling.tests.hpc.daemons import program
from tooling.tests.hpc.slurm import Slurm

pytestmark = [pytest.mark.long, pytest.mark.parametrize("slurm", ["lumi"], indirect=True)]


def ready(name: str, work: Path) -> None:
    """Put one of the chapter's programs into the working directory; skip where its package is missing."""
    package = {"search": "optuna", "functions": "submitit", "many": "hyperqueue"}[name]
    if not find_spec(package):
        pytest.skip(LACKS + package)
    (work / f"{name}.py").write_text((JOBS / f"{name}.py").read_text())


def test_workers_of_an_array_share_an_optuna_study(slurm: Slurm, work: Path) -> None:
    ready("search", work)
    job = slurm.submit("--array=0-2", "array-seeds.sh", "search", "--trials", "9", cwd=work,
                       settings={"ENV_DIR": str(Path(sys.executable).parents[1])})
    assert slurm.finish(job, seconds=1200)[job] == ["COMPLETED"] * 3
    counts = [int(found) for path in (work / "slurm_log").glob(f"*_{job}_*.out")
              for found in re.findall(r"^(\d+) trials, best", path.read_text(), re.MULTILINE)]
    # Each worker ends when there are enough; those that run then finish their last trial.
    assert len(counts) == 3 and 9 <= max(counts) <= 11


def test_submitit_submits_functions_and_returns_their_results(slurm: Slurm, work: Path) -> None:
    ready("functions", work)
    done = slurm.run("timeout", "50", sys.executable, "functions.py", cwd=work, settings={"PARTITION": "small"})
    assert "results [0.1, 0.2, 0.3, 0.6]" in done.stdout, done.stdout + done.stderr


def test_hyperqueue_runs_short_tasks_inside_one_job(slurm: Slurm, work: Path) -> None:
    ready("many", work)
    job = slurm.submit("--partition=small", "--time=5", "--cpus-per-task=4", "--mem=2G", "--output=slurm_log/%j.out",
                       "--wrap", f"srun --cpus-per-task=4 {sys.executable} many.py", cwd=work)
    assert slurm.finish(job)[job] == ["COMPLETED"]
    assert (work / f"slurm_log/{job}.out").read_text().splitlines()[-1] == "2470"


def test_efficiency_agrees_with_reportseff(slurm: Slurm, work: Path) -> None:
    """Time, CPU and memory of the same jobs: equal to the tenth of a percent that reportseff prints.

    It leaves fractions of a second of the CPU time out.
    """
    tool = Path(sys.executable).with_name("reportseff")
    if not tool.exists():
        pytest.skip(LACKS + "reportseff")
    words = "import time; x = bytearray(400_000_000); sum(range(20_000_000)); time.sleep(3)"
    job = slurm.submit("--partition=small", "--time=2", "--cpus-per-task=2", "--mem=1G", "--array=1-2",
                       "--output=slurm_log/%A_%a.out", "--wrap", f"srun --cpus-per-task=2 python3 -c '{words}'",
                       cwd=work)
    slurm.finish(job)

    def ours() -> list[dict[str, Any]]:
        handbook = str(Path(sys.executable).with_name("handbook"))
        said = slurm.run(handbook, "job", "efficiency", job, "--format", "json", cwd=work).stdout
        found: list[dict[str, Any]] = json.loads(said) if said.count('"COMPLETED"') == 2 else []
        return found

    slurm.until(lambda: bool(ours()), "the accounting")
    shown = slurm.run(str(tool), "--no-color", "--parsable", "--format", "JobID,State,Elapsed,TimeEff,CPUEff,MemEff",
                      job, cwd=work).stdout
    rows = {row["JobID"]: row for row in (dict(zip(shown.splitlines()[0].split("|"), line.split("|"), strict=True))
                                          for line in shown.splitlines()[1:])}
    assert len(rows) == 2, shown
    for used in ours():
        row = rows[str(used["job"])]
        assert row["State"] == used["state"] == "COMPLETED"
        whole = 100 * int(used["cpu_seconds"]) / (used["cores"] * used["seconds"])
        assert float(row["CPUEff"].rstrip("%")) == pytest.approx(whole, abs=0.11), (row, used)
        assert float(row["MemEff"].rstrip("%")) == pytest.approx(100 * used["memory_share"], abs=0.11), (row, used)
        assert float(row["TimeEff"].rstrip("%")) == pytest.approx(100 * used["seconds"] / used["limit"], abs=0.11)


RANK = """\
import os, torch
from torch import distributed
distributed.init_process_group("gloo")
number = torch.tensor([distributed.get_rank()])
distributed.all_reduce(number)
print(f"rank {distributed.get_rank()} of {distributed.get_world_size()}, sum {int(number)}, local",
      os.environ["LOCAL_RANK"], "threads", os.environ["OMP_NUM_THREADS"], flush=True)
distributed.destroy_process_group()
"""


@pytest.mark.parametrize(("nodes", "gpus"), [(1, 3), (2, 2)])
def test_torchrun_starts_a_process_for_each_gpu(slurm: Slurm, work: Path, nodes: int, gpus: int) -> None:
    """All processes find each other. The nodes are names that only Slurm knows, so a stand-in says localhost."""
    if not find_spec("torch"):
        pytest.skip(LACKS + "torch")
    (work / "rank.py").write_text(RANK)
    scontrol = slurm.root / "stubs/scontrol"
    scontrol.write_text(f'#!/bin/sh\n[ "$2" = hostnames ] && echo localhost || exec {program("scontrol")} "$@"\n')
    scontrol.chmod(0o755)
    made = run("job", "new", "torchrun.sh", "--cluster", "lumi", "--kind", "torchrun", "--nodes", str(nodes),
               "--gpus", str(gpus), cwd=work)
    assert made.returncode == 0, made.stderr
    assert run("job", "check", "--strict", "torchrun.sh", "--cluster", "lumi", cwd=work).returncode == 0
    job = slurm.submit("torchrun.sh", "rank", cwd=work, settings={"SIF": "container.sif"})
    ended = slurm.finish(job, seconds=1200)[job]
    said = (work / f"slurm_log/torchrun_{job}.out").read_text()
    assert ended == ["COMPLETED"], said
    count = nodes * gpus
    assert set(re.findall(rf"rank (\d+) of {count}, sum {sum(range(count))}, local \d threads 7", said)) == {
        str(rank) for rank in range(count)}, said
