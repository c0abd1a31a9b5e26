"""The acquisition rules against other ways to compute them, the loop on known functions, and the command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import dual_annealing
from scipy.stats import norm

from labhandbook.runs import HandbookError, overlap
from mhi_bo import TARGETS, WAYS, expected_improvement, minimise
from mhi_bo.acquisition import next_by_improvement, next_by_thompson
from mhi_bo.cli import main
from mhi_bo.loop import KERNEL, begin
from mhi_bo.results import write_results
from mhi_bo.study import begun, noisy, plan, scale, study
from mhi_gp import condition

HERE = Path(__file__).parents[1]
QUADRATIC = np.array([0.3, 0.6])


@pytest.mark.parametrize("name", list(TARGETS))
def test_the_smallest_value_is_the_one_that_is_known(name: str) -> None:
    target = TARGETS[name]
    found = dual_annealing(target.value, list(zip(target.low, target.high, strict=True)), rng=1, maxiter=300)
    assert found.fun == pytest.approx(target.minimum, abs=1e-4)


def test_expected_improvement_is_the_mean_gain() -> None:
    rng = np.random.default_rng(0)
    for mean, sd, best in ((0.0, 1.0, 0.5), (2.0, 0.5, 0.0), (-1.0, 2.0, -1.0)):
        drawn = np.maximum(best - rng.normal(mean, sd, 200_000), 0)
        found = expected_improvement(np.array([mean]), np.array([sd]), best)[0]
        assert found == pytest.approx(drawn.mean(), abs=5 * drawn.std() / len(drawn) ** 0.5)


def test_without_doubt_the_improvement_is_the_difference() -> None:
    assert expected_improvement(np.array([1.0, 3.0]), np.zeros(2), 2.0).tolist() == [1.0, 0.0]


def test_improvement_is_found_where_a_fine_grid_has_it() -> None:
    x = np.array([[0.0], [0.35], [0.6], [1.0]])
    known = condition(np.array([np.log(0.2), 0, np.log(0.01), 0]), KERNEL, x, np.array([0.5, -0.2, 0.4, 0.3]))
    grid = np.linspace(0, 1, 20_001)[:, None]
    best = float(known.predict(x)[0].min())
    values = expected_improvement(*known.predict(grid), best)
    chosen = next_by_improvement(known, np.random.default_rng(0))
    assert expected_improvement(*known.predict(chosen[None, :]), best)[0] == pytest.approx(values.max(), rel=1e-4)


def test_thompson_chooses_an_input_as_often_as_it_is_the_best() -> None:
    """Of two far regions, one better by so much that it wins in a share of the draws that is known."""
    x = np.array([[0.0], [1.0]])
    known = condition(np.array([np.log(0.02), 0.0, np.log(1.0), 0.0]), KERNEL, x, np.array([0.0, 0.0]))
    rng = np.random.default_rng(0)
    drawn = np.array([next_by_thompson(known, rng)[0] for _ in range(60)])
    assert 15 < np.sum(drawn < 0.5) < 45, "both halves are alike"


@pytest.mark.parametrize("way", list(WAYS))
def test_the_loop_finds_the_bottom_of_a_bowl(way: str) -> None:
    search = minimise(lambda x: float(((x - QUADRATIC) ** 2).sum()), np.zeros(2), np.ones(2), budget=25, way=way)
    assert len(search.y) == 25 and search.y.min() < 0.01
    assert np.abs(search.best()[0] - QUADRATIC).max() < 0.15


def test_a_shift_or_a_stretch_of_the_values_changes_nothing() -> None:
    def bowl(x: np.ndarray) -> float:
        return float(((x - QUADRATIC) ** 2).sum())

    one = minimise(bowl, np.zeros(2), np.ones(2), budget=8)
    other = minimise(lambda x: 1000 + 64 * bowl(x), np.zeros(2), np.ones(2), budget=8)
    assert other.x == pytest.approx(one.x, abs=1e-3)


def test_a_rate_is_found_by_its_logarithm() -> None:
    found = [scale(seed, begun(seed)) for seed in range(2)]
    assert all(one["logged"] < 0.3 < 1 < one["plain"] for one in found), found


def test_equal_values_are_no_trouble() -> None:
    assert len(minimise(lambda x: 1.0, np.zeros(1), np.ones(1), budget=6).y) == 6


@pytest.mark.parametrize(("low", "high"), [([0.0], [0.0]), ([0.0, 1.0], [1.0]), ([0.0], [np.inf]), ([1.0], [0.0]),
                                         ([-1e308], [1e308]), ([0.0], [1e-320])])
def test_bounds_that_enclose_nothing_are_one_message(low: list[float], high: list[float]) -> None:
    with pytest.raises(HandbookError, match="enclose nothing"):
        begin(np.array(low), np.array(high))


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e200])
def test_a_value_that_is_no_number_or_too_large_is_one_message(value: float) -> None:
    with pytest.raises(HandbookError, match="the function gave"):
        minimise(lambda x: value, np.zeros(1), np.ones(1), budget=3)


def test_smallest_of_noisy_observations_is_a_lucky_one() -> None:
    """From theory: the smallest of n equal values with noise is far below them; the process is not fooled as much."""
    outcomes = [noisy(seed, begun(seed)) for seed in range(3)]
    lucky = np.mean([one["observed-true"] - one["observed"] for one in outcomes])
    believed = np.mean([one["believed-true"] - one["believed"] for one in outcomes])
    assert lucky > -10 * norm.ppf(1 / 20) * 0.5 and lucky > believed


def test_the_command_suggests_what_the_loop_evaluates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    search = minimise(TARGETS["branin"].value, np.array([-5.0, 0]), np.array([10.0, 15]), budget=6)
    rows = [f"{a!r},{b!r},{y!r}" for (a, b), y in zip(search.x.tolist(), search.y.tolist(), strict=True)]
    (tmp_path / "done.csv").write_text("\n".join(["rate,depth,loss", *rows]))
    assert main(["suggest", str(tmp_path / "done.csv"), "--bounds=-5:10", "--bounds=0:15"]) == 0
    names, values = capsys.readouterr().out.splitlines()
    assert names == "rate,depth"
    assert [float(each) for each in values.split(",")] == pytest.approx(search.next("ei").tolist(), rel=1e-4)


@pytest.mark.parametrize(("text", "bounds"), [("x,y\n1,2\n", ["0:1", "0:1"]), ("x,y\n1,2\n", ["1:0"]),
                                              ("x,y\n1,two\n", ["0:1"]), ("", ["0:1"]),
                                              ("0.1,2\n0.5,1\n", ["0:1"])])
def test_a_wrong_file_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str,
                                     bounds: list[str]) -> None:
    (tmp_path / "done.csv").write_text(text)
    assert main(["suggest", str(tmp_path / "done.csv"), *(f"--bounds={each}" for each in bounds)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("✗ ") and not said.out and "#sec-bo" in said.err


@pytest.mark.parametrize("text", ["1", ":1", "a:b", "0:1:2", "--"])
def test_bounds_that_are_not_two_numbers_are_refused_by_their_name(text: str,
                                                                   capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["suggest", "done.csv", f"--bounds={text}"])
    assert ended.value.code == 2 and "--bounds" in capsys.readouterr().err


def test_the_mark_and_the_empty_lines_of_a_spreadsheet_are_no_numbers(tmp_path: Path,
                                                                      capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "done.csv").write_text("\nrate,loss\n0.1,2\n\n0.9,1\n", encoding="utf-8-sig")
    assert main(["suggest", str(tmp_path / "done.csv"), "--bounds=0:1"]) == 0
    assert capsys.readouterr().out.startswith("rate\n")


def test_a_table_that_can_be_read_only_once_is_enough(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "mhi_bo", "suggest", "/dev/stdin", "--bounds=0:1"], check=False,
                          input="rate,loss\n0.1,2\n0.9,1\n", capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("rate\n") and not done.stderr


def test_study_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-m", "mhi_bo", "study", "--run-dir", "cut"], cwd=tmp_path,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        metrics = tmp_path / "cut/metrics.jsonl"
        while not (metrics.exists() and metrics.read_text().count("\n") >= 3) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
    with metrics.open() as lines:
        done = [json.loads(line) for line in lines]
    assert 3 <= len(done) < len(plan()) and process.returncode != 0
    assert [line["part"] for line in done] == list(plan())[:len(done)]
    saved = sorted((tmp_path / "cut/checkpoints").iterdir())[-1] / "outcomes.json"
    for line in done[:3]:
        again = plan()[line["part"]](0, begun(0), 1)
        assert json.loads(saved.read_text())[line["part"]]["regret"] == again["regret"]


def test_results_of_a_run_that_has_not_ended_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match="no finished run"):
        write_results([tmp_path], tmp_path)


def test_the_numbers_of_the_page_agree_with_what_it_says() -> None:
    results = json.loads((HERE / "results.json").read_text())
    for name in TARGETS:
        assert results[name]["ei"]["iqm"] < results[name]["random"]["iqm"]
    assert results["hartmann6"]["ei"]["high"] < results["hartmann6"]["thompson"]["low"]
    assert results["noise"]["observed"]["high"] < 0 < results["noise"]["observed-true"]["low"]
    assert results["scale"]["plain"]["low"] > 10 * results["scale"]["logged"]["high"]
    assert results["hartmann6"]["found"] > results["seeds"] / 2


@pytest.mark.slow
def test_results_come_out_again(tmp_path: Path) -> None:
    known = json.loads((HERE / "results.json").read_text())
    runs = [tmp_path / str(seed) for seed in range(known["seeds"])]
    for seed, folder in enumerate(runs):
        study(folder, seed=seed)
    found = json.loads(write_results(runs, tmp_path)[0].read_text())
    for part in ("scale", "noise", *TARGETS):
        assert all(overlap(found[part][name], known[part][name]) for name in known[part]
                   if name not in ("found", "edge")), part
    for name in TARGETS:
        assert found[name]["found"] == pytest.approx(known[name]["found"], abs=2)
        assert found[name]["edge"] == pytest.approx(known[name]["edge"], abs=10)
    assert found["scale"]["logged"]["high"] < found["scale"]["plain"]["low"], "the trap"
