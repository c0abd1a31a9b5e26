"""More rounds of the study: a search continues from its evaluations, and a run ends the same however it got there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from labhandbook.runs import Checkpoint, HandbookError, Run
from mhi_bo import TARGETS
from mhi_bo.cli import main
from mhi_bo.loop import begin, extend, minimise
from mhi_bo.study import random_search, study

PARTS, BUDGETS = 8, {"forrester": 6, "branin": 6, "rates": 5}


def bowl(x: np.ndarray) -> float:
    return float(((x - 0.3) ** 2).sum())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two functions, and few evaluations."""
    monkeypatch.setattr("mhi_bo.study.BUDGETS", BUDGETS)
    monkeypatch.setattr("mhi_bo.study.TARGETS", {name: TARGETS[name] for name in BUDGETS if name in TARGETS})


@pytest.mark.parametrize("way", ["ei", "thompson"])
@pytest.mark.parametrize("done", [0, 2, 5])
def test_a_search_continues_from_its_evaluations(way: str, done: int) -> None:
    asked: list[list[float]] = []

    def counted(x: np.ndarray) -> float:
        asked.append(x.tolist())
        return bowl(x)

    low, high = np.zeros(2), np.ones(2)
    whole = minimise(bowl, low, high, budget=7, way=way, seed=4)
    part = extend(begin(low, high, 4), bowl, budget=done, way=way) if done else begin(low, high, 4)
    search = extend(part, counted, budget=7, way=way)
    assert asked == whole.x[done:].tolist()
    assert search.x.tolist() == whole.x.tolist() and search.y.tolist() == whole.y.tolist()


def test_random_search_keeps_what_it_has_drawn() -> None:
    regrets = [random_search(TARGETS["branin"], 3, 0, rounds) for rounds in range(1, 10)]
    assert regrets == sorted(regrets, reverse=True) and len(set(regrets)) > 1


def test_a_run_ends_the_same_prolonged_killed_or_started_with_two_rounds(
        small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study(tmp_path / "whole", seed=3, rounds=2)
    study(tmp_path / "cut", seed=3)
    once = json.loads((tmp_path / "cut/result.json").read_text())
    assert once.pop("steps") == PARTS
    (tmp_path / "cut/result.json").write_text(json.dumps(once))  # as earlier versions wrote it
    shutil.copytree(tmp_path / "cut", tmp_path / "old")
    for place in (tmp_path / "old/checkpoints").iterdir():
        (place / "searches.json").unlink()
        (place / "SHA256SUMS").unlink()

    save = Run.save
    with monkeypatch.context() as inside, pytest.raises(KeyboardInterrupt):
        def kill(run: Run, at: int, writer: Callable[[Path], object]) -> Checkpoint:
            if at == PARTS + 4:
                raise KeyboardInterrupt
            return save(run, at, writer)

        inside.setattr(Run, "save", kill)
        study(tmp_path / "cut", seed=3, rounds=2)
    with pytest.raises(HandbookError, match=f"step {PARTS + 3} already, beyond the {PARTS} steps of --rounds 1"):
        study(tmp_path / "cut", seed=3)
    for name in ("cut", "old"):
        assert main(["study", "--seed", "3", "--run-dir", str(tmp_path / name), "--rounds", "2"]) == 0
        assert (tmp_path / name / "result.json").read_bytes() == (tmp_path / "whole/result.json").read_bytes()
    assert len(json.loads((tmp_path / "whole/result.json").read_text())) == PARTS + 1


@pytest.mark.parametrize(("file", "text"), [
    ("outcomes.json", "{}"), ("outcomes.json", "[1]"), ("outcomes.json", '{"forrester-random": {}}'),
    ("outcomes.json", '{"forrester-random": {"regret": 1.0, "edge": 0.0}}'),
    ("outcomes.json", '{"forrester-random": {"regret": Infinity}}'),
    ("searches.json", '{"noise": {"x": [[1.0]], "y": [2.0]}}'),
    ("searches.json", '{"noise": {"x": [[1.0, NaN]], "y": [2.0]}}'),
    ("searches.json", '{"other": {"x": [[1.0]], "y": [2.0]}}')])
def test_a_checkpoint_that_holds_something_else_is_one_message(tmp_path: Path, file: str, text: str,
                                                               small: None) -> None:
    with Run.open(tmp_path, {"seed": 0, "budgets": BUDGETS}) as run:
        def write(place: Path) -> None:
            (place / "outcomes.json").write_text(json.dumps({"forrester-random": {"regret": 1.0}}))
            (place / file).write_text(text)

        run.save(1, write)
    with pytest.raises(HandbookError, match="the checkpoint of step 1 can't be used"):
        study(tmp_path)
