"""The handbook's array over seeds runs the studies of two projects on a real Slurm, and continues after a kill."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from tooling.tests.conftest import ROOT
from tooling.tests.hpc.slurm import Slurm

# The pages that print the array, and the last step of their studies.
PAGES = {"chapters/research/phrases/index.qmd": 20, "chapters/research/eras/index.qmd": 11}


@pytest.mark.parametrize("page", PAGES)
def test_study_goes_on_after_a_kill(slurm: Slurm, research: Path, tmp_path: Path, page: str) -> None:
    module = f"mhi_{Path(page).parent.name}"
    shutil.copy(ROOT / "chapters/hpc/jobs/array-seeds.sh", tmp_path)
    (tmp_path / "slurm_log").mkdir()
    assert f"sbatch array-seeds.sh {module} study" in (ROOT / page).read_text(encoding="utf-8")

    def submit() -> str:
        return slurm.submit("--array=0-1", "array-seeds.sh", module, "study", cwd=tmp_path,
                            settings={"ENV_DIR": str(research)})

    metrics = tmp_path / f"runs/{module}-seed-0/metrics.jsonl"
    job = submit()
    while not (metrics.exists() and metrics.read_text().count("\n") >= 2):
        assert set(slurm.states(job)) <= {"PENDING", "RUNNING", "CONFIGURING"}
        time.sleep(0.2)
    slurm.run("scancel", "--signal=KILL", "--full", job, cwd=tmp_path)
    slurm.finish(job, seconds=1800)
    assert not (tmp_path / f"runs/{module}-seed-0/done").exists()
    again = submit()
    assert set(slurm.finish(again, seconds=1800)[again]) == {"COMPLETED"}
    for seed in (0, 1):
        folder = tmp_path / f"runs/{module}-seed-{seed}"
        steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
        assert steps == list(range(1, PAGES[page] + 1)), "each step is in it once"
        assert (folder / "result.json").exists() and (folder / "done").exists()
