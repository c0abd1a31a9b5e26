"""Driving beside its own suite: its figure drawn again from its numbers, its array resumed on a real Slurm."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from tooling.tests.conftest import ROOT
from tooling.tests.hpc.slurm import Slurm

PROJECT = ROOT / "chapters/research/driving"


def test_figures_are_drawn_from_the_numbers(research: Path) -> None:
    from mhi_driving.figures import render

    results = json.loads((PROJECT / "results.json").read_text(encoding="utf-8"))
    drawn = render(results)
    assert set(drawn) == {"drive.svg", "curves.svg"}
    for name, picture in drawn.items():
        assert picture == (PROJECT / name).read_text(encoding="utf-8")
    results["images"]["td3"]["curve"]["mean"][0][0] += 100
    assert render(results)["curves.svg"] != drawn["curves.svg"]
    assert set(render({"images": results["images"]})) == {"curves.svg"}


def test_array_goes_on_after_a_kill(slurm: Slurm, research: Path, tmp_path: Path) -> None:
    """A killed task, submitted again, ends with the weights of one that nobody disturbed."""
    shutil.copy(PROJECT / "jobs/seeds.sh", tmp_path)
    (tmp_path / "slurm_log").mkdir()

    def submit(folder: Path, steps: int) -> str:
        return slurm.submit("--array=1", str(tmp_path / "seeds.sh"), "--preset", "ddpg", "--steps", str(steps),
                            cwd=folder, settings={"ENV_DIR": str(research)})

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        (folder / "slurm_log").mkdir(parents=True)
    killed, run = submit(parts, 1_000_000), Path("runs/seed-1")
    saved = parts / run / "checkpoints"
    while not list(saved.glob("0*")):
        assert set(slurm.states(killed)) <= {"PENDING", "RUNNING", "CONFIGURING"}
        time.sleep(0.1)
    slurm.run("scancel", "--signal=KILL", "--full", killed, cwd=parts)
    assert "COMPLETED" not in slurm.finish(killed, seconds=1800)[killed] and not (parts / run / "done").exists()
    steps = 1000 + max(int(place.name) for place in saved.glob("0*"))
    first, again = submit(whole, steps), submit(parts, steps)
    assert slurm.finish(first, again, seconds=1800) == {first: ["COMPLETED"], again: ["COMPLETED"]}
    metrics = [(folder / run / "metrics.jsonl").read_text() for folder in (whole, parts)]
    assert metrics[0] == metrics[1] and len(metrics[0].splitlines()) == steps / 1000
    results = [json.loads((folder / run / "result.json").read_text()) for folder in (whole, parts)]
    assert results[0] == results[1]
    done = submit(parts, steps)
    assert slurm.finish(done, seconds=1800) == {done: ["COMPLETED"]}
    assert "nothing to do" in (parts / f"slurm_log/driving_{done}_1.out").read_text()
