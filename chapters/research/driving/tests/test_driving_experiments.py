"""What the page says of learning from logs, on one seed; and how its numbers are found and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mhi_driving import bcq, experiments
from mhi_driving.bcq import Settings
from mhi_driving.drive import evaluate
from mhi_driving.drivers import straight
from mhi_driving.experiments import metres
from mhi_driving.logs import Log


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, Any]], Path]:
    """One seed of what is in results.json, with fewer passes; and where its runs and its log lie."""
    place = tmp_path_factory.mktemp("offline")
    found = {method: experiments.from_log(place, method, 0, Settings(epochs=6, fall=6)) for method in bcq.THRESHOLDS}
    return found, place


def test_bcq_drives_three_times_as_far_as_cloning(learnt: tuple[dict[str, dict[str, Any]], Path]) -> None:
    """And cloning drives clearly farther than a car that does nothing."""
    found, _ = learnt
    assert metres(found["bcq"]) >= 3 * metres(found["bc"])
    assert metres(found["bc"]) > 2 * evaluate(straight, experiments.LANE).metres_per_disengagement
    assert found["bcq"]["promised"] < 1.5 * found["bcq"]["score"]["discounted"]


def test_plain_q_learning_fails(learnt: tuple[dict[str, dict[str, Any]], Path]) -> None:
    """It leaves the lane on every road, promises far more than it drives, and mostly does what nobody does there."""
    found, place = learnt
    assert found["q"]["score"]["disengagements"] == 20 and metres(found["q"]) < metres(found["bc"])
    assert found["q"]["promised"] > 3 * found["q"]["score"]["discounted"]
    rare = {method: experiments.unseen(place / f"{method}-0", Log(place / "log-0"))["rare"] for method in found}
    assert rare["q"] > 40 and rare["bcq"] == rare["bc"] == 0


@pytest.mark.parametrize(("left", "wobbled"), [([9, 0, 0], False), ([9, 0, 1, 0], True), ([9, 2, 5], False)])
def test_a_training_wobbles_when_it_gets_worse_than_faultless(left: list[int], wobbled: bool) -> None:
    assert experiments.wobbles([{"disengagements": count} for count in left]) is wobbled
