"""Numbers over seeds: the interquartile mean with an interval, as rliable reports them (Agarwal et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

DRAWS = 20_000  # of the bootstrap


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean without the lowest and the highest quarter of the values; of each, as many as fit whole.

    One bad seed of five can't move it, and two can. It is scipy.stats.trim_mean(values, 0.25).
    """
    ordered = np.sort(np.asarray(values, np.float64))
    cut = len(ordered) // 4
    return float(ordered[cut:len(ordered) - cut].mean())


def interval(values: Sequence[float], share: float = 0.95) -> tuple[float, float]:
    """Where the interquartile mean of other seeds would be: the percentiles of a bootstrap, always the same draws."""
    given, rng = np.asarray(values, np.float64), np.random.default_rng(0)
    drawn = np.sort(given[rng.integers(len(given), size=(DRAWS, len(given)))], axis=1)
    cut = len(given) // 4
    means = drawn[:, cut:len(given) - cut].mean(axis=1)
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def spread(values: Sequence[float], digits: int = 1) -> dict[str, Any]:
    """Interquartile mean and its interval, mean, lowest and highest of some seeds, and the seeds, all rounded."""
    def shown(value: float) -> float:
        return round(float(value), digits) if digits else round(float(value))

    low, high = interval(values)
    return {"iqm": shown(interquartile_mean(values)), "low": shown(low), "high": shown(high),
            "mean": shown(float(np.mean(values))), "lowest": shown(min(values)), "highest": shown(max(values)),
            "count": len(values), "seeds": [shown(value) for value in values]}


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two spreads could come from the same distribution: their intervals meet."""
    return bool(one["low"] <= other["high"] and other["low"] <= one["high"])
