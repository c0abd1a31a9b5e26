"""More rounds of the study: the strengths that are drawn, and that a run ends the same however it came to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from labhandbook.runs import Checkpoint, HandbookError, Run, read_metrics
from mhi_eras import Fitted, load
from mhi_eras.cli import main
from mhi_eras.models import SWEEP
from mhi_eras.study import study, sweep

FAST = {"ridge": (10.0, 1000.0), "lasso": (0.0003, 0.003)}
SIZE = 4


def test_strengths_of_later_rounds_are_spread_evenly_in_their_logarithm() -> None:
    assert [name for name, _ in sweep(0, 2)] == [name for name, _ in sweep(0, 1)]
    for model, strengths in SWEEP.items():
        drawn = [alpha for number in range(2, 202) for name, alpha in sweep(7, number) if name == model]
        assert len(set(drawn)) == len(drawn) == 200 * len(strengths)
        low, high = np.log(min(strengths)), np.log(max(strengths))
        assert kstest((np.log(drawn) - low) / (high - low), "uniform").pvalue > 0.001
    assert sweep(7, 2) == sweep(7, 2) != sweep(8, 2)


def test_a_run_ends_the_same_prolonged_killed_or_started_with_two_rounds(
        tournament: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mhi_eras.study.SWEEP", FAST)
    source, cut = tournament / "train.parquet", tmp_path / "cut"
    whole = study(source, tmp_path / "whole", seed=3, rounds=2)
    study(source, cut, seed=3)
    once = json.loads((cut / "result.json").read_text())
    assert once.pop("steps") == SIZE
    (cut / "result.json").write_text(json.dumps(once))  # as earlier versions wrote it

    save = Run.save
    with monkeypatch.context() as inside, pytest.raises(KeyboardInterrupt):
        def kill(run: Run, at: int, writer: Callable[[Path], object]) -> Checkpoint:
            if at == SIZE + 3:
                raise KeyboardInterrupt
            return save(run, at, writer)

        inside.setattr(Run, "save", kill)
        study(source, cut, seed=3, rounds=2)
    with pytest.raises(HandbookError, match=f"step {SIZE + 2} already, beyond the {SIZE} steps of --rounds 1"):
        study(source, cut, seed=3)
    assert main(["study", str(source), "--seed", "3", "--run-dir", str(cut), "--rounds", "2"]) == 0
    assert (cut / "result.json").read_bytes() == (tmp_path / "whole/result.json").read_bytes()
    first, second = (Fitted.load(folder / "model.npz") for folder in (tmp_path / "whole", cut))
    assert np.array_equal(first.weights[0], second.weights[0])

    lines = read_metrics(cut)
    assert [(line["model"], line["alpha"]) for line in lines] == sweep(3, 1) + sweep(3, 2)
    assert whole.result and whole.result["sweep"]["sharpe"] == max(line["sharpe"] for line in lines)


@pytest.mark.parametrize("fits", [
    [], [["ridge", 10.0, 0.1]], [["forest", 10.0, 0.1, 1.0]], [["ridge", 1000.0, 0.1, 1.0]],
    [["ridge", 10.0, 0.1, float("nan")]], [["ridge", 10.0, 0.1, "high"]]])
def test_a_checkpoint_that_holds_something_else_is_one_message(tournament: Path, tmp_path: Path,
                                                               fits: list[list[object]]) -> None:
    source = tournament / "train.parquet"
    params = {"source": source.name, "rows": len(load(source).y), "seed": 0, "every": 1}
    with Run.open(tmp_path, params) as run:
        run.save(1, lambda place: (place / "kept.json").write_text(json.dumps({"fits": fits})))
    with pytest.raises(HandbookError, match="the checkpoint of step 1 can't be used"):
        study(source, tmp_path)
