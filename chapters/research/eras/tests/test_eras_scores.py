"""Scores by era, splits with an embargo, and the models of the sweep."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score

from labhandbook.runs import HandbookError
from mhi_eras import EraSplit, Fitted, by_era, load, score
from mhi_eras.models import SWEEP, fit


def test_scores_by_era_are_those_of_scipy_with_ties_and_any_order() -> None:
    chance = np.random.default_rng(0)
    eras = chance.integers(1, 8, 500)
    target, predicted = chance.integers(0, 5, 500) / 4, np.round(chance.normal(size=500), 1)
    expected = [spearmanr(predicted[eras == era], target[eras == era]).statistic for era in np.unique(eras)]
    assert by_era(predicted, target, eras) == pytest.approx(expected, abs=1e-12)
    found = score(predicted, target, eras)
    assert (found.mean, found.sharpe) == pytest.approx((np.mean(expected), np.mean(expected) / np.std(expected)))


def test_an_era_without_order_counts_as_nothing() -> None:
    assert by_era([1, 1, 1, 1, 2, 3], [0, 1, 2, 0, 1, 2], [1, 1, 1, 2, 2, 2]).tolist() == [0.0, 1.0]
    assert score([1, 2], [1, 2], [1, 1]).sharpe == 0


def test_split_keeps_the_embargo_and_the_order_of_time() -> None:
    eras = np.random.default_rng(0).permutation(np.repeat(np.arange(1, 61), 3))
    blocks = list(EraSplit(splits=3, valid=10, embargo=4).split(eras, groups=eras))
    assert [(eras[test].min(), eras[test].max()) for _, test in blocks] == [(31, 40), (41, 50), (51, 60)]
    for learnt, test in blocks:
        assert eras[learnt].max() == eras[test].min() - 5 and eras[learnt].min() == 1
        assert len(learnt) == 3 * len(set(eras[learnt])), "an era is taken whole"
    windowed = list(EraSplit(splits=3, valid=10, embargo=4, window=7).split(eras, groups=eras))
    assert [len(set(eras[learnt])) for learnt, _ in windowed] == [7, 7, 7]


@pytest.mark.parametrize(("made", "eras", "says"), [
    (lambda: EraSplit(splits=0), [1], "at least 1"),
    (lambda: EraSplit(embargo=-1), [1], "at least 0"),
    (lambda: EraSplit(splits=2, valid=5, embargo=4), list(range(14)), "14 eras are too few"),
    (lambda: EraSplit(splits=2, valid=5, embargo=4), None, "needs groups"),
])
def test_a_split_that_cannot_be_is_refused(made: object, eras: list[int] | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        list(made().split(eras or [1], groups=eras))  # type: ignore[operator]


def test_split_works_in_scikit_learn(tournament: Path) -> None:
    table = load(tournament / "train.parquet")
    cut = EraSplit(splits=3, valid=20)
    each = cross_val_score(Ridge(), table.x, table.y, groups=table.eras, cv=cut)
    assert len(each) == cut.get_n_splits() == 3 and np.isfinite(each).all()
    goal = table.x.sum(axis=1)
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1e6]}, cv=cut).fit(table.x, goal, groups=table.eras)
    assert search.best_params_ == {"alpha": 0.1}


@pytest.mark.parametrize("name", SWEEP)
def test_a_model_is_kept_as_numbers_and_predicts_the_same(name: str, tournament: Path, tmp_path: Path) -> None:
    table = load(tournament / "train.parquet", every=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fit(name, SWEEP[name][0], table, 0)
    Fitted.of(model, [f"f{number}" for number in range(12)]).save(tmp_path / "model.npz")
    again = Fitted.load(tmp_path / "model.npz")
    assert again.predict(table.x) == pytest.approx(model.predict(table.x), abs=1e-5)
    assert again.features[:2] == ("f0", "f1")


def test_a_pickled_or_torn_model_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", features=np.array([print], dtype=object), w0=np.ones(2), b0=np.ones(1))
    (tmp_path / "torn.npz").write_bytes((tmp_path / "evil.npz").read_bytes()[:40])
    for name in ("evil.npz", "torn.npz", "none.npz"):
        with pytest.raises(HandbookError, match="the model can't be read"):
            Fitted.load(tmp_path / name)
