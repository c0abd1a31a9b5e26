"""Sampling against a known distribution, the study, and what the command does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_normal

from labhandbook.runs import HandbookError, overlap, read_metrics
from mhi_gp import KERNELS
from mhi_gp.cli import main, read_table
from mhi_gp.results import write_results
from mhi_gp.sampling import slice_sweep
from mhi_gp.study import SIZES, WAYS, coverage, draw_task, study

HERE = Path(__file__).parents[1]
CENTRE, COVARIANCE = np.array([1.0, -2.0]), np.array([[1.0, 0.8], [0.8, 2.0]])


def test_slice_sampling_keeps_a_normal_distribution() -> None:
    rng = np.random.default_rng(0)
    target = multivariate_normal(CENTRE, COVARIANCE)
    theta, kept = np.zeros(2), []
    for sweep in range(4000):
        theta = slice_sweep(lambda value: float(target.logpdf(value)), theta, rng)
        if sweep % 8 == 0:
            kept.append(theta)
    drawn = np.array(kept[10:])
    for place in (0, 1):
        z = (drawn[:, place] - CENTRE[place]) / COVARIANCE[place, place] ** 0.5
        assert kstest(z, "norm").pvalue > 0.001
    (_, found), _ = np.asarray(np.corrcoef(drawn.T)).tolist()
    assert found == pytest.approx(0.8 / 2**0.5, abs=0.1)


def test_the_true_parameters_are_right_in_95_percent() -> None:
    kernel, rng = KERNELS["matern-52"], np.random.default_rng(1)
    shares = []
    for _ in range(400):
        task = draw_task(kernel, SIZES[0], rng)
        shares.append(coverage(kernel, task, [task.theta]))
    error = np.std(shares) / len(shares) ** 0.5
    assert abs(np.mean(shares) - 0.95) < 4 * error < 0.03


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a study of two tasks finds that nobody disturbs."""
    return study(tmp_path_factory.mktemp("whole") / "run", seed=3, tasks=2).result or {}


def test_study_goes_on_where_it_was_stopped(tmp_path: Path, whole: dict[str, Any]) -> None:
    words = [sys.executable, "-m", "mhi_gp", "study", "--seed", "3", "--tasks", "2", "--run-dir", "cut"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        metrics = tmp_path / "cut/metrics.jsonl"
        while not (metrics.exists() and metrics.read_text().count("\n") >= 2) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    again = study(tmp_path / "cut", seed=3, tasks=2)
    assert again.result == whole and set(WAYS) <= set(whole)
    assert [line["step"] for line in read_metrics(tmp_path / "cut")] == list(range(1, 2 * len(SIZES) + 1))


def test_a_finished_study_goes_on_to_more_tasks_and_not_back(tmp_path: Path, whole: dict[str, Any]) -> None:
    study(tmp_path / "longer", seed=3, tasks=1)
    assert study(tmp_path / "longer", seed=3, tasks=2).result == whole
    assert study(tmp_path / "longer", seed=3, tasks=1).result == whole


@pytest.mark.parametrize(("option", "value"), [("--seed", "-1"), ("--tasks", "0"), ("--seed", "x")])
def test_a_number_that_can_not_be_is_one_message(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["study", option, value])
    assert ended.value.code == 2 and f"{option}: {value} is not a whole number" in capsys.readouterr().err


def test_predictions_into_a_folder_that_is_not_there_are_one_message(tmp_path: Path,
                                                                     capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "learnt.csv").write_text("x,y\n0,0\n1,1\n")
    (tmp_path / "new.csv").write_text("x\n2\n")
    words = [str(tmp_path / name) for name in ("learnt.csv", "new.csv", "nowhere/p.csv")]
    assert main(["predict", *words, "--fitted"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"✗ {words[2]}: No such file or directory\n") and said.endswith("#sec-gp-run\n")


def test_results_are_gathered_into_a_file_and_a_figure(tmp_path: Path) -> None:
    for seed in (0, 1):
        study(tmp_path / str(seed), seed=seed, tasks=1)
    paths = write_results([tmp_path / "0", tmp_path / "1"], tmp_path)
    assert [path.name for path in paths] == ["results.json", "coverage.svg"]
    assert json.loads(paths[0].read_text())["seeds"] == 2 and paths[1].read_text().count("<rect") == 6
    with pytest.raises(HandbookError, match="no finished run"):
        write_results([tmp_path], tmp_path)


def test_predictions_of_a_line_are_on_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{x},{100 + 3 * x}" for x in range(0, 200, 10)]
    (tmp_path / "learnt.csv").write_text("\n".join(["x,y", *rows]))
    (tmp_path / "new.csv").write_text("x\n55\n105\n")
    files = [str(tmp_path / name) for name in ("learnt.csv", "new.csv", "out.csv")]
    for option in ((), ("--fitted",)):
        assert main(["predict", *files, *option]) == 0
        out = np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1)
        assert out[:, 0] == pytest.approx([265, 415], abs=15) and np.all(out[:, 1] < 40)
    assert "2 predictions" in capsys.readouterr().out


@pytest.mark.parametrize(("learnt", "new"), [
    ("x,y\n1,one\n", "x\n1\n"), ("", "x\n1\n"), ("x,y\n1,nan\n", "x\n1\n"), ("x,y\n1,2\n", "x,z\n1,2\n"),
    ("x,y\n1,2\n", None), ("y\n2\n", "x\n1\n"), ("x,y\n1,2\n3\n", "x\n1\n"), ("x,y\n\n\n", "x\n1\n"),
    ("x,y\n1,1e200\n2,-1e200\n", "x\n1\n"), ("x,y\n1,2\n2,3\n", "x\n1e200\n"), ("x,y\n0,2\n1e-99,3\n", "x\n1e9\n")])
def test_a_wrong_file_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str], learnt: str,
                                     new: str | None) -> None:
    (tmp_path / "learnt.csv").write_text(learnt)
    if new is not None:
        (tmp_path / "new.csv").write_text(new)
    assert main(["predict", *(str(tmp_path / name) for name in ("learnt.csv", "new.csv", "out.csv"))]) == 2
    said = capsys.readouterr().err
    assert said.startswith("✗ ") and str(tmp_path) in said and not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(("learnt", "new", "said"), [
    ("0.1,2\n0.2,3\n", "x\n1\n", "learnt.csv:1: this file needs a header"),
    ("x,y\n1,2\n", "\n1\n2\n", "new.csv:2: this file needs a header"),
    ("1,2\n3\n", "x\n1\n", "learnt.csv:1: this file needs a header"),
    ("1,\n2,3\n", "x\n1\n", "learnt.csv:1: this file needs a header"),
    ("1,NA\n2,3\n", "x\n1\n", "learnt.csv:1: this file needs a header"),
    (" , \n1.0.0,2\n2,3\n", "x\n1\n", "learnt.csv:2: this file needs a header"),
    ("x,y,z\n1,2\n2,3\n", "x\n1\n", "learnt.csv:2: the number of cells differs: 2 in this row, 3 in the header"),
    ("x,y\n1,2\n\n3,4,5\n", "x\n1\n", "learnt.csv:4: the number of cells differs: 3 in this row, 2"),
    ("x,y\n1,2\n2,two\n", "x\n1\n", "learnt.csv:3: column y has 'two'"),
    ("x,y\n1,2\n", "x\nnan\n", "new.csv:2: column x has 'nan'")])
def test_a_file_without_a_header_or_a_number_is_refused_by_its_line(tmp_path: Path, learnt: str, new: str, said: str,
                                                                    capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "learnt.csv").write_text(learnt)
    (tmp_path / "new.csv").write_text(new)
    assert main(["predict", *(str(tmp_path / name) for name in ("learnt.csv", "new.csv", "out.csv"))]) == 2
    assert capsys.readouterr().err.startswith(f"✗ {tmp_path}/{said}")


def test_rows_of_only_blank_cells_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(",\nyear,y\n1,2\n , \n3,4\n\n")
    names, numbers = read_table(tmp_path / "table.csv")
    assert names == ["year", "y"] and numbers.tolist() == [[1, 2], [3, 4]]


def test_the_numbers_of_the_page_are_what_the_theory_says() -> None:
    results = json.loads((HERE / "results.json").read_text())
    for way in ("true", "sampled"):
        for shares in results[way].values():
            assert shares["low"] < 95 < shares["high"] < shares["low"] + 6
    assert results["fitted"]["n5"]["high"] < 90, "the trap"


@pytest.mark.slow
def test_results_come_out_again(tmp_path: Path) -> None:
    known = json.loads((HERE / "results.json").read_text())
    runs = [tmp_path / str(seed) for seed in range(known["seeds"])]
    for seed, folder in enumerate(runs):
        study(folder, seed=seed)
    found = json.loads(write_results(runs, tmp_path)[0].read_text())
    assert found["fitted"]["n5"]["high"] < found["sampled"]["n5"]["low"], "the trap"
    for way in WAYS:
        for size in SIZES:
            assert overlap(found[way][f"n{size}"], known[way][f"n{size}"])
