"""The world: its interface, its physics and its views."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mhi_driving import lane
from mhi_driving.drive import CHOOSING, DEVELOPING, REPORTING, TRAINING, evaluate
from mhi_driving.drivers import skilled, straight
from mhi_driving.lane import Cars, LaneEnv, LaneVectorEnv


@pytest.mark.parametrize("name", ["mhi/Lane-v0", "mhi/LaneImage-v0"])
def test_gymnasium_has_nothing_to_say(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(name, disable_env_checker=True, render_mode="rgb_array").unwrapped)


@pytest.mark.parametrize("view", ["state", "image"])
def test_many_cars_drive_as_one_does(view: str) -> None:
    seeds, rng = [3, 4, 5], np.random.default_rng(0)
    many, singles = LaneVectorEnv(3, view), [LaneEnv(view) for _ in seeds]
    seen, _ = many.reset(seed=seeds)
    alone = [env.reset(seed=seed)[0] for env, seed in zip(singles, seeds, strict=True)]
    ended = 0
    for _ in range(60):
        np.testing.assert_array_equal(seen, np.stack(alone))
        action = rng.uniform(-1, 1, (3, 2)).astype(np.float32)
        seen, reward, terminated, truncated, info = many.step(action)
        for car, env in enumerate(singles):
            last, metres, over, cut, _ = env.step(action[car])
            assert (metres, over, cut) == (reward[car], terminated[car], truncated[car])
            alone[car] = last
            if over or cut:
                ended += 1
                np.testing.assert_array_equal(info["final_obs"][car], last)
                alone[car] = env.reset()[0]
    assert ended > 3


def test_circle_at_the_right_steering() -> None:
    """On a bend of constant curvature, the bicycle model's own steering keeps the car where it is."""
    cars = Cars(1, "state")
    cars.curvature[:] = 1 / 20
    cars.centre[0] = lane.trace(cars.curvature[0])
    cars.v[:] = 6.0
    angle = np.arctan(lane.WHEELBASE / 20) / lane.LOCK
    cars.steering[:] = angle
    wish = np.array([[angle, 2 * (6 - lane.SLOW) / (lane.FAST - lane.SLOW) - 1]], np.float32)
    driven = sum(float(cars.step(wish)[0][0]) for _ in range(100))
    assert driven == pytest.approx(60, abs=0.01)
    assert cars.e[0] == pytest.approx(0, abs=1e-3) and cars.psi[0] == pytest.approx(0, abs=1e-4)


def test_tyres_hold_only_so_much() -> None:
    cars = Cars(2, "state")
    cars.v[:] = (5.0, 12.0)
    cars.steering[:] = 0.5
    cars.step(np.array([[0.5, -0.75], [0.5, 1.0]], np.float32))
    assert cars.psi[0] == pytest.approx(0.1 * 5 * np.tan(0.25) / lane.WHEELBASE, rel=1e-5)
    assert cars.psi[1] == pytest.approx(0.1 * lane.GRIP / 12, rel=1e-5)


def test_the_lane_ends_two_metres_from_its_centre() -> None:
    cars = Cars(2, "state")
    cars.v[:], cars.psi[:], cars.e[:] = 5, 0.2, (1.8, 1.95)
    _, left, ended = cars.step(np.zeros((2, 2), np.float32))
    assert left.tolist() == [False, True] and not ended.any()
    cars.s[:] = lane.LENGTH - 0.1
    assert cars.step(np.zeros((2, 2), np.float32))[2].all()


def test_image_shows_the_lane_where_it_is() -> None:
    """Straight ahead it is symmetric; a car on the left of the lane sees it on the right; a left bend leads left."""
    cars = Cars(3, "image")
    cars.curvature[2] = 1 / 20
    for car in range(3):
        cars.centre[car] = lane.trace(cars.curvature[car])
    cars.v[:], cars.e[:] = 8, (0, 1.5, 0)
    road = cars.image()[:, 0, :-lane.DASHBOARD].astype(float)
    middle = (road * np.arange(lane.SIDE)).sum(axis=2) / road.sum(axis=2).clip(1)
    assert middle[0] == pytest.approx(11.5, abs=0.05)
    assert middle[1][-1] > 14 and middle[2][4] < 9
    dashboard = cars.image()[0, 0, -lane.DASHBOARD:]
    assert dashboard[0].sum() == 255 * 12 and dashboard[1].argmax() in (11, 12)


def test_metric_counts_metres_between_disengagements() -> None:
    good, nothing = evaluate(skilled, "mhi/Lane-v0"), evaluate(straight, "mhi/Lane-v0")
    assert good.disengagements == 0 and good.mean == pytest.approx(lane.LENGTH, abs=0.01)
    assert good.metres_per_disengagement == pytest.approx(20 * lane.LENGTH, abs=1)
    assert nothing.disengagements == 20 and nothing.metres_per_disengagement == pytest.approx(nothing.mean)
    assert nothing.mean < 40
    assert "metres_per_disengagement" in nothing.as_json()
    pendulum = evaluate(lambda seen: np.zeros((len(seen), 1), np.float32), "Pendulum-v1", range(2)).as_json()
    assert set(pendulum) == {"returns", "discounted", "mean"}


def test_discounted_returns_count_early_metres_more() -> None:
    score = evaluate(skilled, "mhi/Lane-v0", range(3), discount=0.5)
    envs = LaneVectorEnv(3)
    seen, _ = envs.reset(seed=[0, 1, 2])
    total = np.zeros(3)
    for power in range(60):
        seen, reward, *_ = envs.step(skilled(seen))
        total += 0.5**power * reward
    assert score.discounted == pytest.approx(total.mean(), rel=1e-9)


def test_no_road_is_used_for_two_things() -> None:
    each = (CHOOSING, DEVELOPING, REPORTING)
    assert len(set().union(*each)) == sum(map(len, each)) and max(map(max, each)) < TRAINING
