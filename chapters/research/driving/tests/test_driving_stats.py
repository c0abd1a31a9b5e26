"""Interquartile means against SciPy where it is there and by hand, and intervals that hold what they should."""

from __future__ import annotations

import numpy as np
import pytest

from mhi_driving.stats import interquartile_mean, interval, overlap, spread


@pytest.mark.parametrize(("values", "expected"), [
    ([3.0], 3.0), ([1, 5], 3.0), ([1, 2, 30], 11.0), ([0, 4, 8, 1000], 6.0), ([1000, 0, 4, 8, 6], 6.0),
    ([1, 2, 3, 4, 5, 6, 7, 800], 4.5)])
def test_interquartile_mean_by_hand(values: list[float], expected: float) -> None:
    assert interquartile_mean(values) == expected


def test_interquartile_mean_is_scipys_trimmed_mean() -> None:
    scipy = pytest.importorskip("scipy.stats", reason="SciPy isn't installed")
    rng = np.random.default_rng(0)
    for count in range(1, 40):
        values = rng.normal(size=count)
        assert interquartile_mean(list(values)) == pytest.approx(scipy.trim_mean(values, 0.25))


def test_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """On 200 samples of 20 seeds from a skewed distribution, whose interquartile mean is known."""
    rng = np.random.default_rng(0)
    truth = interquartile_mean(list(rng.exponential(size=200_001)))
    held = 0
    for _ in range(200):
        low, high = interval(list(rng.exponential(size=20)))
        held += low <= truth <= high
    assert 0.85 <= held / 200 <= 0.99


def test_interval_is_the_same_each_time_and_shrinks_with_seeds() -> None:
    values = [5000.0, 4833.0, 4783.0, 1609.0, 792.0]
    assert interval(values) == interval(values)
    few, many = interval(values), interval(values * 8)
    assert many[1] - many[0] < few[1] - few[0]


def test_spread_and_overlap() -> None:
    one, other = spread([1, 2, 3, 4, 5.04]), spread([100, 101, 99, 100], 0)
    assert one["iqm"] == 3.0 and one["lowest"] == 1 and one["highest"] == 5.0 and one["count"] == 5
    assert other["mean"] == 100 and isinstance(other["mean"], int) and other["seeds"] == [100, 101, 99, 100]
    assert overlap(one, spread([4, 5, 5, 6])) and not overlap(one, other)
