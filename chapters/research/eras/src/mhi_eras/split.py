"""Splits for data that changes with time: learn from the past, leave a gap, be tested on what comes after."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


class EraSplit:
    """A splitter for scikit-learn's `cross_val_score` and `GridSearchCV`; give them `groups=eras`.

    The last `splits * valid` eras are cut into blocks of `valid`. The model for a block learns from the eras
    before it, without the last `embargo` of them: a target looks weeks ahead, so those share their outcome
    with the first eras of the block (López de Prado, Advances in Financial Machine Learning, 2018, chapter 7).
    `window` limits how many eras are learnt from; None takes all.
    """

    def __init__(self, splits: int = 4, valid: int = 20, embargo: int = 4, window: int | None = None) -> None:
        """Raises ValueError for numbers that make no split."""
        if splits < 1 or valid < 1 or embargo < 0 or (window is not None and window < 1):
            raise ValueError("splits, valid and window are at least 1, and embargo is at least 0")
        self.splits, self.valid, self.embargo, self.window = splits, valid, embargo, window

    def get_n_splits(self, x: object = None, y: object = None, groups: object = None) -> int:
        """How many folds there are."""
        return self.splits

    # part: split
    def split(self, x: object, y: object = None, groups: ArrayLike | None = None) -> Iterator[Fold]:
        """Pairs of the rows to learn from and the rows to be tested on; `groups` is the era of each row.

        Raises ValueError when there are too few eras, or none were given.
        """
        if groups is None:
            raise ValueError("an era split needs groups: the era of each row")
        each = np.asarray(groups)
        eras = np.unique(each)
        first = len(eras) - self.splits * self.valid
        if first - self.embargo < 1:
            raise ValueError(f"{len(eras)} eras are too few: {self.splits} blocks of {self.valid} and an embargo of "
                             f"{self.embargo} leave none to learn from")
        for start in range(first, len(eras), self.valid):
            end = start - self.embargo
            learnt = eras[max(0, end - self.window) if self.window else 0:end]
            yield np.flatnonzero(np.isin(each, learnt)), np.flatnonzero(np.isin(each, eras[start:start + self.valid]))
    # end: split
