"""The numbers on the page, made again: minutes to an hour of one core."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mhi_driving import experiments
from mhi_driving.learner import PRESETS

pytestmark = pytest.mark.slow
SAID = Path(__file__).parents[1] / "results.json"


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    numbers: dict[str, Any] = json.loads(SAID.read_text(encoding="utf-8"))
    return numbers


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def test_each_preset_swings_the_pendulum_up_on_five_seeds(said: dict[str, Any], runs: Path) -> None:
    found = experiments.pendulum(runs, print)
    for preset in PRESETS:
        assert found[preset]["lowest"] > found["bar"]
        assert found[preset]["mean"] == pytest.approx(said["pendulum"][preset]["mean"],
                                                      abs=said["pendulum"][preset]["tolerance"])


def test_bcq_beats_cloning_and_plain_q_learning_fails_on_five_seeds(said: dict[str, Any], runs: Path) -> None:
    """Metres vary by the disengagement; what must come again is who is how many times better, and what Q promises."""
    found, before = experiments.from_logs(runs, print), said["offline"]
    straight = said["lane"]["straight"]
    for seed in experiments.SEEDS:
        assert found["bcq"]["seeds"][seed] >= 3 * found["bc"]["seeds"][seed]
        assert found["q"]["seeds"][seed] < 2 * straight < found["bc"]["seeds"][seed]
    assert found["q"]["disengagements"] == 20 and found["q"]["rare"] > 50 and found["bcq"]["rare"] == 0
    assert found["bcq"]["mean"] == pytest.approx(before["bcq"]["mean"], rel=0.6)
    for method in ("bc", "q"):
        assert found[method]["mean"] == pytest.approx(before[method]["mean"], rel=0.5)
    assert found["bcq"]["promised"] == pytest.approx(before["bcq"]["promised"], rel=0.2)
    assert found["q"]["promised"] > 3 * found["q"]["real"]
    assert found["log"] == pytest.approx(before["log"], rel=0.05)


def test_td3_learns_to_keep_the_lane_on_five_seeds(said: dict[str, Any], runs: Path) -> None:
    found, before = experiments.lane(runs, print), said["lane"]
    assert found["best"]["lowest"] > 10 * found["straight"]
    assert found["best"]["mean"] == pytest.approx(before["best"]["mean"], rel=0.6)
    assert found["straight"] == before["straight"] and found["skilled"] == before["skilled"]
