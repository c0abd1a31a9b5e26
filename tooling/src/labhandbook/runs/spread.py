"""Numbers over seeds: the interquartile mean with an interval, as rliable reports them (Agarwal et al. 2021)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from random import Random
from statistics import fmean
from typing import Any

DRAWS = 5_000  # of the bootstrap; up to five seeds have fewer, and all of them are taken


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean without the lowest and the highest quarter of the values; of each, as many as fit whole.

    One bad seed of five can't move it, and two can. It is scipy.stats.trim_mean(values, 0.25).
    """
    cut = len(values) // 4
    return fmean(sorted(values)[cut:len(values) - cut])


def interval(values: Sequence[float], share: float = 0.95) -> tuple[float, float]:
    """Where the interquartile mean of other seeds would be: the percentiles of a bootstrap, always the same draws."""
    count, rng = len(values), Random(0)
    draws: Iterable[Sequence[float]] = (product(values, repeat=count) if count**count <= DRAWS
                                        else (rng.choices(values, k=count) for _ in range(DRAWS)))
    means = sorted(map(interquartile_mean, draws))
    outside = int((1 - share) / 2 * len(means))
    return means[outside], means[-1 - outside]


def spread(values: Sequence[float], digits: int = 1) -> dict[str, Any]:
    """Interquartile mean and its interval, mean, lowest and highest of some seeds, and the seeds, all rounded."""
    def shown(value: float) -> float:
        return round(float(value), digits) if digits else round(float(value))

    low, high = interval(values)
    return {"iqm": shown(interquartile_mean(values)), "low": shown(low), "high": shown(high),
            "mean": shown(fmean(values)), "lowest": shown(min(values)), "highest": shown(max(values)),
            "count": len(values), "seeds": [shown(value) for value in values]}


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two spreads could come from the same distribution: their intervals meet."""
    return bool(one["low"] <= other["high"] and other["low"] <= one["high"])
