"""n-step returns and priorities against slow references that are obviously right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mhi_driving.replay import NStep, Replay, SumTree, Transition

SHAPE = ((1,), np.float32)


def steps(rewards: list[float], n: int, terminated: bool, discount: float = 0.5) -> list[Transition]:
    """The transitions of an episode whose observations are 0, 1, 2, ..."""
    maker = NStep(n, discount)
    made: list[Transition] = []
    for at, reward in enumerate(rewards):
        last = at == len(rewards) - 1
        made += maker.add(np.array([at]), np.array([10 + at]), reward, np.array([at + 1]), last and terminated,
                          last and not terminated)
    return made


@pytest.mark.parametrize("terminated", [True, False])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 9])
def test_n_step_returns_are_the_sums_of_the_rewards_to_come(n: int, terminated: bool) -> None:
    rewards = [1.0, -2.0, 4.0, 8.0, 3.0, 5.0]
    made = steps(rewards, n, terminated)
    assert [int(step.before[0]) for step in made] == [0, 1, 2, 3, 4, 5]
    assert [int(step.action[0]) for step in made] == [10, 11, 12, 13, 14, 15]
    for at, step in enumerate(made):
        end = min(at + n, len(rewards))
        assert step.reward == sum(0.5 ** (k - at) * rewards[k] for k in range(at, end))
        assert int(step.after[0]) == end
        assert step.bootstrap == (0 if terminated and end == len(rewards) else 0.5 ** (end - at))


def test_n_step_by_hand() -> None:
    first, second, third = steps([1.0, 2.0, 4.0], 2, True)
    assert (first.reward, first.bootstrap) == (2.0, 0.25)
    assert (second.reward, second.bootstrap) == (4.0, 0.0)
    assert (third.reward, third.bootstrap) == (4.0, 0.0)


def test_an_episode_leaves_nothing_for_the_next() -> None:
    maker = NStep(3, 0.9)
    at = np.zeros(1)
    assert len(list(maker.add(at, at, 1.0, at, False, True))) == 1
    assert list(maker.add(at, at, 1.0, at, False, False)) == []


@pytest.mark.parametrize("size", [1, 2, 5, 8, 33])
def test_sum_tree_is_numpys_cumulative_sum(size: int) -> None:
    """With whole numbers as weights every sum is exact, so the two must agree on each mass, borders and all."""
    rng, tree, weights = np.random.default_rng(size), SumTree(size), np.zeros(size)
    for _ in range(20):
        at = rng.choice(size, max(1, size // 2), replace=False)
        weights[at] = rng.integers(0, 5, len(at))
        tree.set(at, weights[at])
        assert tree.total == weights.sum()
        np.testing.assert_array_equal(tree.get(np.arange(size)), weights)
        masses = np.arange(0, weights.sum(), 0.5)
        if len(masses):
            expected = np.searchsorted(np.cumsum(weights), masses, side="right")
            np.testing.assert_array_equal(tree.find(masses), expected)


def test_sum_tree_never_gives_a_leaf_without_weight() -> None:
    """Whatever rounding does, not even to a mass as large as the total."""
    rng, tree = np.random.default_rng(0), SumTree(100)
    weights = rng.random(70)
    tree.set(np.arange(70), weights)
    found = tree.find(np.array([0, tree.total * (1 - 1e-16), tree.total]))
    assert found.max() < 70


def filled(alpha: float, size: int = 64) -> Replay:
    replay = Replay(size, SHAPE, 1, alpha)
    for at in range(size):
        replay.add(Transition(np.array([at]), np.zeros(1), at, np.array([at + 1]), 0.9))
    return replay


def test_priorities_decide_how_often_and_weights_take_it_back() -> None:
    replay, rng = filled(0.6, 4), np.random.default_rng(0)
    errors = np.array([1.0, 2.0, 4.0, 8.0])
    replay.mark(np.arange(4), errors)
    chances = (errors + Replay.TINY) ** 0.6
    chances /= chances.sum()
    draws = [replay.draw(100, rng, beta=1.0) for _ in range(400)]
    counts = np.bincount(np.concatenate([drawn for drawn, _ in draws]), minlength=4)
    np.testing.assert_allclose(counts / counts.sum(), chances, atol=0.005)
    drawn, weights = draws[0]
    expected = 1 / (4 * chances[drawn])
    np.testing.assert_allclose(weights, expected / expected.max(), rtol=1e-5)


def test_a_new_transition_gets_the_largest_priority() -> None:
    replay = filled(1.0, 4)
    replay.mark(np.array([2]), np.array([7.0]))
    replay.add(Transition(np.zeros(1), np.zeros(1), 0, np.zeros(1), 0))
    assert replay.tree is not None and replay.tree.get(np.array([0]))[0] == replay.highest == pytest.approx(7)


def test_ring_forgets_the_oldest() -> None:
    replay = filled(0.0, 8)
    for at in range(100, 103):
        replay.add(Transition(np.array([at]), np.zeros(1), at, np.array([at]), 0))
    assert len(replay) == 8 and replay.before[:, 0].tolist() == [100, 101, 102, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_replay_goes_on_where_it_was(alpha: float, tmp_path: Path) -> None:
    replay, again = filled(alpha), Replay(64, SHAPE, 1, alpha)
    replay.mark(np.arange(10), np.linspace(0, 9, 10))
    replay.save(tmp_path / "replay.npz")
    again.load(tmp_path / "replay.npz")
    first, second = (kept.draw(32, np.random.default_rng(1), 0.4) for kept in (replay, again))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.added == replay.added and again.highest == replay.highest
