"""How good predictions are, era by era: what counts is the order within an era, and that it holds in each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Score:
    """The mean of the eras' correlations, and the mean over their standard deviation."""

    mean: float
    sharpe: float


# part: by-era
def by_era(predicted: ArrayLike, target: ArrayLike, eras: ArrayLike) -> NDArray[np.float64]:
    """Spearman's correlation of each era, (eras,), in the eras' order: Pearson's of the ranks, ties at their mean.

    An era whose predictions are all equal orders nothing: its correlation counts as 0.
    """
    table = pl.DataFrame({"era": np.asarray(eras), "p": np.asarray(predicted), "t": np.asarray(target)})
    found = table.group_by("era").agg(pl.corr(pl.col("p").rank(), pl.col("t").rank()).alias("r")).sort("era")
    each: NDArray[np.float64] = np.nan_to_num(found["r"].to_numpy().astype(np.float64))
    return each
# end: by-era


def score(predicted: ArrayLike, target: ArrayLike, eras: ArrayLike) -> Score:
    """Mean and Sharpe ratio of the eras' correlations; the ratio is 0 where they don't differ.

    Sharpe, Journal of Portfolio Management 21 (1994), with the population's standard deviation.
    """
    each = by_era(predicted, target, eras)
    spread = float(each.std())
    return Score(float(each.mean()), float(each.mean()) / spread if spread > 0 else 0.0)
