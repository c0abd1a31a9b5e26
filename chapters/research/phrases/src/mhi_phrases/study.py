"""How good the classifiers are on sentences of a kind that they have not seen, and how good they merely seem.

One run is one seed. A round is five folds, split by template and split by row, for both models; each round has a
shuffle of its own. A fold that is done is saved, so a run that is stopped continues behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, StratifiedKFold

from labhandbook.runs import Checkpoint, HandbookError, Run
from mhi_phrases.corpus import SECTION, Phrase
from mhi_phrases.models import Incremental, baseline

FOLDS = 5
MODELS = ("baseline", "incremental")
SPLITS = ("template", "row")
ROUND = [(model, split, number) for model in MODELS for split in SPLITS for number in range(FOLDS)]

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def folds(phrases: Sequence[Phrase], split: str, seed: int) -> Iterator[Fold]:
    """Pairs of the rows to learn from and the rows to be tested on.

    "template" keeps each group on one side. "row" deals sentences out one by one, so that almost every sentence of
    the test has a twin of the same template among those learnt from: what is measured then is memory.
    """
    labels = [phrase.label for phrase in phrases]
    groups = [phrase.group for phrase in phrases]
    if split == "template":
        return iter(GroupKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels, groups))
    return iter(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels))


def predictions(model: str, phrases: Sequence[Phrase], fold: Fold, seed: int) -> list[str]:
    """The labels that a model, fitted on the first rows of the fold, gives to the second."""
    learn, test = ([phrases[row] for row in rows] for rows in fold)
    texts, labels = [phrase.text for phrase in learn], [phrase.label for phrase in learn]
    asked = [phrase.text for phrase in test]
    if model == "baseline":
        return [str(label) for label in baseline(seed).fit(texts, labels).predict(asked)]
    return Incremental(sorted(set(labels)), seed).fit(texts, labels).predict(asked)


def round_seed(seed: int, number: int) -> int:
    """The seed of the shuffles and models of a round: in the first the run's own, later one drawn for the round."""
    return seed if number == 1 else int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def study(phrases: Sequence[Phrase], seed: int, folder: Path, rounds: int = 1) -> Run:
    """Run or continue the study of one seed in `folder`; its result is there when the run is finished.

    The result has one macro-averaged F1 score, from 0 to 1, for each model and split: the mean over labels of the
    harmonic mean of precision and recall, over the predictions of all folds of all rounds together. A finished run
    continues when more rounds are asked for.
    Raises HandbookError when there are too few phrases, groups or phrases of a label for the folds.
    """
    try:
        for split in SPLITS:
            list(folds(phrases, split, seed))
    except ValueError as error:
        raise HandbookError(f"these {len(phrases)} phrases can't be split into {FOLDS} folds: {error}",
                            section=SECTION, why="each fold is tested on groups that the others don't have",
                            todo=f"give at least {FOLDS} groups, and {FOLDS} phrases of each label") from None
    params, steps = {"seed": seed, "phrases": len(phrases), "folds": FOLDS}, rounds * len(ROUND)
    with Run.open(folder, params, steps, ("--rounds", rounds)) as run:
        if run.finished:
            return run
        saved = run.latest()
        answers = saved.restore(partial(_read, phrases, seed)) if saved else {}
        for step in range(saved.step if saved else 0, steps):
            if run.stopping:
                return run
            model, split, number, chance = _part(step, seed)
            fold = list(folds(phrases, split, chance))[number]
            try:
                guessed = predictions(model, phrases, fold, chance)
            except ValueError as error:
                raise HandbookError(f"a model can't learn these phrases: {error}", section=SECTION,
                                    why="it needs two labels, and words of two letters or more",
                                    todo="give more phrases") from None
            true = [phrases[row].label for row in fold[1]]
            answers.setdefault(f"{model}-{split}", []).extend(map(list, zip(true, guessed, strict=True)))
            run.log(step + 1, model=model, split=split, fold=number, f1=_f1(true, guessed))
            run.save(step + 1,
                     lambda place: (place / "answers.json").write_text(json.dumps(answers), encoding="utf-8"))
        run.finish({name: _f1(*map(list, zip(*pairs, strict=True))) for name, pairs in answers.items()})
        return run


def _part(step: int, seed: int) -> tuple[str, str, int, int]:
    """What comes after so many steps: the model, the split, the fold's number and the seed of the round."""
    done, part = divmod(step, len(ROUND))
    return *ROUND[part], round_seed(seed, done + 1)


def _read(phrases: Sequence[Phrase], seed: int, saved: Checkpoint) -> dict[str, list[list[str]]]:
    """The answers that a checkpoint holds, by model and split. Raises ValueError when they are not of its folds."""
    answers: dict[str, list[list[str]]] = json.loads((saved.folder / "answers.json").read_text(encoding="utf-8"))
    labels = {phrase.label for phrase in phrases}
    expected: dict[str, list[str]] = {}
    dealt = cache(lambda split, chance: list(folds(phrases, split, chance)))
    for step in range(saved.step):
        model, split, number, chance = _part(step, seed)
        rows = dealt(split, chance)[number][1]
        expected.setdefault(f"{model}-{split}", []).extend(phrases[row].label for row in rows)
    if {name: [true for true, guessed in pairs if guessed in labels] for name, pairs in answers.items()} != expected:
        raise ValueError("it does not hold the answers of the folds that are done")
    return answers


def _f1(true: Sequence[str], guessed: Sequence[str]) -> float:
    return float(f1_score(list(true), list(guessed), average="macro"))
