"""A sweep: its settings, its script on a Slurm, and the table of its results."""

from __future__ import annotations

import csv
import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.hpc.sweep import Collected, Row, collect, settings, table
from tooling.tests.conftest import LACKS, run
from tooling.tests.hpc.slurm import Slurm

PROGRAM = """\
import argparse, json, os, pathlib, sys
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
parser.add_argument("--note")
options = parser.parse_args()
folder = pathlib.Path(os.environ["RUN_DIR"])
with (folder / "starts").open("a") as starts:
    starts.write("x")
if options.seed == 1 and not pathlib.Path("fixed").exists():
    sys.exit("ValueError: seed 1 does not work")
(folder / "result.json").write_text(json.dumps({"loss": options.lr + options.seed, "best": {"step": 7}}))
"""


def test_settings_are_all_combinations() -> None:
    rows = settings(["lr=1e-3,1e-4", "seed=0:3"])
    assert len(rows) == 6 and rows[0] == {"lr": "1e-3", "seed": "0"} and rows[-1] == {"lr": "1e-4", "seed": "2"}
    assert table(rows[:2]) == "--lr 1e-3 --seed 0\n--lr 1e-3 --seed 1\n"
    assert [row["n"] for row in settings(["n=0:10:4"])] == ["0", "4", "8"]


@pytest.mark.parametrize(("grid", "says"), [
    (["lr"], "no setting"), (["=1"], "no setting"), (["lr=1", "lr=2"], "there twice"),
    (["seed=3:3"], "has no values"), (["name=a b"], "can't be a value"), (["cmd=$(x)"], "can't be a value"),
    (["a=0:1000", "b=0:1000"], "are more than"),
])
def test_what_is_no_setting_is_refused(grid: list[str], says: str) -> None:
    with pytest.raises(HandbookError, match=says):
        settings(grid)


def test_new_packs_runs_under_the_limit_of_the_array(tmp_path: Path) -> None:
    words = ["job", "new", "sweep.sh", "--cluster", "lumi", "--gpus", "1", "--grid", "seed=0:500", "--array", "%20"]
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 0 and "500 runs in sweep.txt, 3 a task" in done.stderr
    text = (tmp_path / "sweep.sh").read_text()
    assert "#SBATCH --array=1-167%20\n" in text and "\neach=3\n" in text
    (tmp_path / "slurm_log").mkdir()
    assert run("job", "check", "sweep.sh", "--cluster", "lumi", "--strict", cwd=tmp_path).returncode == 0
    changed = run(*words[:-4], "--grid", "seed=0:9", "--force", cwd=tmp_path)
    assert changed.returncode == 2 and "sweep.txt exists" in changed.stderr
    priced = run("job", "cost", "sweep.sh", "--cluster", "lumi", cwd=tmp_path)
    assert "167 tasks x" in priced.stdout
    assert run(*words[:-1], "1-9", cwd=tmp_path).returncode == 2


def test_collect_needs_the_script_of_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "job.sh").write_text("#!/bin/bash\ntrue\n")
    done = run("job", "collect", "job.sh", cwd=tmp_path)
    assert done.returncode == 2 and "no script of a sweep" in done.stderr


def test_parquet_has_whole_numbers_numbers_and_texts() -> None:
    """A column with an empty field keeps its type; what only Python reads as a number is a text."""
    pytest.importorskip("pyarrow", reason=LACKS + "pyarrow (extra parquet)")
    given = [("1", "0.5", "1_0", str(2**70), "a"), ("", "", "2", "3", "")]
    rows = [Row(number, dict(zip("vwxyz", values, strict=True)), "done", "", {})
            for number, values in enumerate(given, 1)]
    held = import_module("pyarrow").BufferReader(Collected(Path("s.sh"), 1, rows).as_parquet())
    columns = import_module("pyarrow.parquet").read_table(held).to_pydict()
    assert {name: columns[name] for name in "vwxyz"} == {
        "v": [1, None], "w": [0.5, None], "x": ["1_0", "2"], "y": [float(2**70), 3.0], "z": ["a", ""]}


@pytest.mark.parametrize("slurm", ["lumi"], indirect=True)
def test_a_sweep_runs_is_collected_and_only_what_is_missing_runs_again(slurm: Slurm, work: Path) -> None:
    (work / "train.py").write_text(PROGRAM)
    made = run("job", "new", "sweep.sh", "--cluster", "lumi", "--grid", "lr=0.5,0.25", "--grid", "seed=0:3",
               "--pack", "2", "--array", "%2", cwd=work)
    assert made.returncode == 0, made.stderr
    given = {"ENV_DIR": str(work / "env")}
    job = slurm.submit("sweep.sh", "train", "--note", "a b", cwd=work, settings=given)
    assert sorted(slurm.finish(job)[job]) == ["COMPLETED", "FAILED", "FAILED"]
    found = collect(work / "sweep.sh")
    assert [row.state for row in found.rows] == ["done", "failed", "done", "done", "failed", "done"]
    assert found.rows[1].why.startswith("exit code 1: ") and found.missing == [1, 3]
    done = run("job", "collect", "sweep.sh", "--output", "results.csv", cwd=work)
    assert done.returncode == 1 and "6 runs: 4 done, 2 failed, in results.csv" in done.stderr
    assert "next: sbatch --array=1,3%2 sweep.sh train --note a\\ b" in done.stderr
    lines = list(csv.DictReader((work / "results.csv").read_text().splitlines()))
    assert lines[0] == {"run": "1", "lr": "0.5", "seed": "0", "state": "done", "why": "", "loss": "0.5",
                        "best.step": "7"}
    words = ("job", "collect", "sweep.sh", "--output", "results.parquet")
    if find_spec("pyarrow"):
        assert run(*words, cwd=work).returncode == 1
        columns = import_module("pyarrow.parquet").read_table(work / "results.parquet").to_pydict()
        assert columns["lr"] == [0.5] * 3 + [0.25] * 3 and columns["best.step"][:2] == [7, None]
        assert list(columns) == list(lines[0]) and columns["state"][1] == "failed"
    else:
        missing = run(*words, cwd=work)
        assert missing.returncode == 2 and "pyarrow is not installed" in missing.stderr
    (work / "fixed").touch()
    again = slurm.submit("--array=1,3", "sweep.sh", "train", cwd=work, settings=given)
    assert set(slurm.finish(again)[again]) == {"COMPLETED"}
    assert collect(work / "sweep.sh").missing == []
    starts = [len((work / f"runs/sweep-{number}/starts").read_text()) for number in range(1, 7)]
    assert starts == [1, 2, 1, 1, 2, 1]
    assert run("job", "collect", "sweep.sh", cwd=work).returncode == 0


def test_a_run_that_was_stopped_says_so(tmp_path: Path) -> None:
    (tmp_path / "sweep.sh").write_text("#!/bin/bash\ntable=sweep.txt\neach=1\n")
    (tmp_path / "sweep.txt").write_text("--a 1\n--a 2\n")
    place = tmp_path / "runs/sweep-1"
    place.mkdir(parents=True)
    (place / "job").write_text("7_1\n")
    (place / "log.txt").write_text("step 3\n")
    (place / "result.json").write_text(json.dumps([1]))
    rows = collect(tmp_path / "sweep.sh").rows
    assert [row.state for row in rows] == ["failed", "missing"] and "it was stopped" in rows[0].why
