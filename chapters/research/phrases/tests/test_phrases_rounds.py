"""More rounds of the study: what one is, and that a run ends the same however it came to its rounds."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, fields
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import f1_score

from labhandbook.runs import Checkpoint, HandbookError, Run
from mhi_phrases import Phrase
from mhi_phrases.cli import main
from mhi_phrases.study import ROUND, folds, round_seed, study

FEW = [Phrase(f"word {number % 7} and {number % 3}", "ab"[number % 2], str(number)) for number in range(30)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> int:
    """Only the model that learns fast; the number of parts of a round is then this."""
    parts = [part for part in ROUND if part[0] == "incremental"]
    monkeypatch.setattr("mhi_phrases.study.ROUND", parts)
    return len(parts)


def stopped_before_the_checkpoint(step: int, patch: pytest.MonkeyPatch, folder: Path, rounds: int) -> None:
    """A study that ends, as by a kill, when a step is logged and not saved."""
    save = Run.save
    with patch.context() as inside, pytest.raises(KeyboardInterrupt):
        def kill(run: Run, at: int, writer: Callable[[Path], object]) -> Checkpoint:
            if at == step:
                raise KeyboardInterrupt
            return save(run, at, writer)

        inside.setattr(Run, "save", kill)
        study(FEW, 3, folder, rounds)


def test_each_round_has_a_shuffle_of_its_own_and_the_first_the_seed_of_the_run() -> None:
    seeds = [round_seed(seed, number) for seed in range(30) for number in range(1, 5)]
    assert seeds[::4] == list(range(30)) and len(set(seeds)) == len(seeds)
    for split in ("template", "row"):
        first, second = ([fold[1].tolist() for fold in folds(FEW, split, round_seed(0, number))] for number in (1, 2))
        assert first != second and sorted(chain(*first)) == sorted(chain(*second))


def test_a_run_ends_the_same_prolonged_killed_or_started_with_two_rounds(
        quick: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    study(FEW, 3, tmp_path / "whole", 2)
    study(FEW, 3, tmp_path / "cut")
    result = tmp_path / "cut/result.json"
    once = json.loads(result.read_text())
    assert once.pop("steps") == quick
    result.write_text(json.dumps(once))  # as earlier versions wrote it
    stopped_before_the_checkpoint(quick + 3, monkeypatch, tmp_path / "cut", 2)
    with pytest.raises(HandbookError, match=f"beyond the {quick} steps of --rounds 1") as raised:
        study(FEW, 3, tmp_path / "cut")
    assert raised.value.todo.startswith("give --rounds 2 or more")
    with (tmp_path / "few.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, [field.name for field in fields(Phrase)])
        rows.writeheader()
        rows.writerows(asdict(phrase) for phrase in FEW)
    words = ["study", "--seed", "3", "--data", str(tmp_path / "few.csv"), "--run-dir", str(tmp_path / "cut")]
    assert main([*words, "--rounds", "2"]) == 0
    whole = (tmp_path / "whole/result.json").read_bytes()
    assert result.read_bytes() == whole and json.loads(capsys.readouterr().out) == json.loads(whole)
    assert main(words) == 0 and result.read_bytes() == whole, "two rounds are one and more"


def test_the_answers_of_all_rounds_are_one_score(quick: int, tmp_path: Path) -> None:
    run = study(FEW, 0, tmp_path, 3)
    saved = run.latest()
    assert saved and run.result and run.result["steps"] == saved.step == 3 * quick
    for name, pairs in json.loads((saved.folder / "answers.json").read_text()).items():
        assert len(pairs) == 3 * len(FEW)
        true, guessed = zip(*pairs, strict=True)
        assert run.result[name] == f1_score(true, guessed, average="macro")


@pytest.mark.parametrize("harm", [
    lambda answers: {}, lambda answers: {"incremental-row": 1}, lambda answers: {"other": []},
    lambda answers: {**answers, "other": []}, lambda answers: {**answers, "incremental-row": [["a", "a"]]},
    lambda answers: {**answers, "incremental-row": answers["incremental-row"][:-1]},
    lambda answers: {**answers, "incremental-row": [[true, "no label"] for true, _ in answers["incremental-row"]]}])
def test_a_checkpoint_that_holds_something_else_is_one_message(quick: int, tmp_path: Path, harm: Callable[[Any], Any]
                                                               ) -> None:
    """Without checksums, which find every damage, as when files were copied by hand."""
    study(FEW, 0, tmp_path)
    for place in (tmp_path / "checkpoints").iterdir():
        (place / "SHA256SUMS").unlink()
        answers = json.loads((place / "answers.json").read_text())
        (place / "answers.json").write_text(json.dumps(harm(answers)))
    with pytest.raises(HandbookError, match=f"the checkpoint of step {quick} can't be used"):
        study(FEW, 0, tmp_path, 2)


def test_no_round_is_no_study(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["study", "--rounds", "0"])
    assert ended.value.code == 2 and "--rounds: 0 is not a whole number from 1" in capsys.readouterr().err
