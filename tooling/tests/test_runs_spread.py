"""Interquartile means by hand, and intervals that hold what they should."""

from __future__ import annotations

from random import Random

import pytest

from labhandbook.runs import interquartile_mean, interval, overlap, spread


@pytest.mark.parametrize(("values", "expected"), [
    ([3.0], 3.0), ([1, 5], 3.0), ([1, 2, 30], 11.0), ([0, 4, 8, 1000], 6.0), ([1000, 0, 4, 8, 6], 6.0),
    ([1, 2, 3, 4, 5, 6, 7, 800], 4.5)])
def test_interquartile_mean_by_hand(values: list[float], expected: float) -> None:
    assert interquartile_mean(values) == expected


def test_interval_of_few_seeds_by_hand() -> None:
    """Of two seeds there are four draws. Of three, one of 27 draws is the lowest, which is more than 2.5 %."""
    assert interval([0, 8]) == (0, 8) and interval([0, 8], share=0.4) == (4, 4)
    assert interval([0, 3, 9]) == (0, 9) and interval([5]) == (5, 5)


def test_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """On 50 samples of 20 seeds from a skewed distribution, whose interquartile mean is known."""
    rng = Random(0)
    truth = interquartile_mean([rng.expovariate(1) for _ in range(200_001)])
    held = 0
    for _ in range(50):
        low, high = interval([rng.expovariate(1) for _ in range(20)])
        held += low <= truth <= high
    assert held >= 41


def test_interval_is_the_same_each_time_and_shrinks_with_seeds() -> None:
    values = [5000.0, 4833.0, 4783.0, 1609.0, 792.0]
    assert interval(values * 2) == interval(values * 2) and interval(values) == interval(values[::-1])
    few, many = interval(values), interval(values * 8)
    assert many[1] - many[0] < few[1] - few[0]


def test_spread_and_overlap() -> None:
    one, other = spread([1, 2, 3, 4, 5.04]), spread([100, 101, 99, 100], 0)
    assert one["iqm"] == 3.0 and one["lowest"] == 1 and one["highest"] == 5.0 and one["count"] == 5
    assert other["mean"] == 100 and isinstance(other["mean"], int) and other["seeds"] == [100, 101, 99, 100]
    assert overlap(one, spread([4, 5, 5, 6])) and not overlap(one, other)
