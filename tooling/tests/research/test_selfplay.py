"""Self-play beside its own suite: its figure drawn again from its numbers, its array resumed on a real Slurm."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from tooling.tests.conftest import ROOT
from tooling.tests.hpc.slurm import Slurm

PROJECT = ROOT / "chapters/research/selfplay"


def test_figure_is_drawn_from_the_numbers(research: Path) -> None:
    from mhi_selfplay.figures import draw

    results = json.loads((PROJECT / "results.json").read_text(encoding="utf-8"))
    assert draw(results) == (PROJECT / "lines-lost.svg").read_text(encoding="utf-8")
    results["tic-tac-toe"]["seeds"][0]["curve"][0] += 900
    assert draw(results) != (PROJECT / "lines-lost.svg").read_text(encoding="utf-8")


def test_array_goes_on_after_a_kill(slurm: Slurm, research: Path, tmp_path: Path) -> None:
    shutil.copy(PROJECT / "jobs/selfplay-seeds.sh", tmp_path)
    (tmp_path / "slurm_log").mkdir()
    words = ["tic-tac-toe", "--games", "6", "--warm-games", "4", "--simulations", "8", "--channels", "8",
             "--epochs", "2", "--arena-games", "4"]

    def submit(array: str, iterations: int) -> str:
        done = slurm.run("sbatch", "--parsable", f"--array={array}", "selfplay-seeds.sh", *words, "--iterations",
                         str(iterations), cwd=tmp_path, settings={"ENV_DIR": str(research)})
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().partition(";")[0]

    def steps(seed: int) -> list[int]:
        path = tmp_path / f"runs/tic-tac-toe-{seed}/metrics.jsonl"
        return [json.loads(line)["step"] for line in path.read_text().splitlines()] if path.exists() else []

    quick, long = submit("0", 2), submit("1", 10000)
    while len(steps(1)) < 2:
        assert set(slurm.states(long)) <= {"PENDING", "RUNNING", "CONFIGURING"}
        time.sleep(0.2)
    slurm.run("scancel", long, cwd=tmp_path)
    assert slurm.finish(quick, long, seconds=1800) == {quick: ["COMPLETED"], long: ["CANCELLED"]}
    before = steps(1)
    again = submit("0-1", len(before) + 1)
    assert set(slurm.finish(again, seconds=1800)[again]) == {"COMPLETED"}
    assert steps(0) == steps(1) == list(range(1, len(before) + 2)), "each iteration is in it once"
    same = submit("0", len(before) + 1)
    assert slurm.finish(same, seconds=1800) == {same: ["COMPLETED"]}
    assert "nothing to do" in (tmp_path / f"slurm_log/selfplay_{same}_0.out").read_text()
    assert (tmp_path / "runs/tic-tac-toe-1/done").exists()
