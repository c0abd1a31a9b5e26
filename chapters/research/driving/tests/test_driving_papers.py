"""What the papers say, line by line, beside the test that holds the code to it.

Read the table first. A row is: the paper, the place in it, what it says, whether the code does the same ("same", or
what is different and why), and the test. Tests that are named and not below are in the other files of this folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mhi_driving import d4pg, ddpg, td3
from mhi_driving.d4pg import D4PG
from mhi_driving.ddpg import DDPG
from mhi_driving.td3 import TD3

SAME = "same"
DETAILS = [
    ("Lillicrap et al. 2016", "algorithm 1", "y = r + gamma Q'(s', mu'(s'))", SAME,
     "test_ddpg_target_is_the_reward_and_the_discounted_value_of_the_slow_networks"),
    ("Lillicrap et al. 2016", "algorithm 1", "slow copies move by tau after each update", SAME,
     "test_soft_update_moves_by_tau"),
    ("Lillicrap et al. 2016", "section 7", "slow copies start as copies", SAME, "test_slow_copies_start_as_copies"),
    ("Lillicrap et al. 2016", "section 7", "the last layer is drawn from +-3e-3, and +-3e-4 for pixels",
     "+-3e-4 for both, actor only", "test_last_layer_is_small"),
    ("Lillicrap et al. 2016", "section 7", "rates of 1e-4 (actor) and 1e-3 (critic)",
     "1e-3 for the actor on states, which is faster there", "test_rates_and_batches_of_the_presets"),
    ("Lillicrap et al. 2016", "section 7", "batches of 64, and of 16 for pixels", "128, and 64 for pixels",
     "test_rates_and_batches_of_the_presets"),
    ("Lillicrap et al. 2016", "section 7", "Ornstein-Uhlenbeck noise, theta 0.15, sigma 0.2",
     "theta 0.15; 0.2 is its deviation in the long run, by the exact step",
     "test_ornstein_uhlenbeck_is_stationary_for_every_step"),
    ("Silver et al. 2014", "equation 9", "the actor climbs Q along its own action", SAME,
     "test_actor_gradient_is_the_chain_rule"),
    ("Andrychowicz et al. 2017", "appendix A", "the squares of what goes into tanh are in the actor's loss",
     "weight 0.01", "test_a_saturated_actor_comes_back_by_the_squares"),
    ("Fujimoto et al. 2018", "equation 10", "the target takes the smaller of two critics", SAME,
     "test_td3_target_smooths_within_the_clip_and_takes_the_smaller"),
    ("Fujimoto et al. 2018", "section 5.3", "noise on target actions: deviation 0.2, clipped at 0.5", SAME,
     "test_td3_target_smooths_within_the_clip_and_takes_the_smaller"),
    ("Fujimoto et al. 2018", "section 5.2", "one update of the actor and of all slow copies for two of the critics",
     SAME, "test_td3s_actor_and_slow_copies_wait_for_the_critics"),
    ("Fujimoto et al. 2018", "section 6.1", "purely random actions at the start", "500 steps, not 1,000 or 10,000",
     "test_warm_up_is_random_and_what_follows_is_the_policy_with_noise"),
    ("Fujimoto et al. 2018", "section 6.1", "Gaussian exploration of deviation 0.1", "0.2",
     "test_warm_up_is_random_and_what_follows_is_the_policy_with_noise"),
    ("Pardo et al. 2018", "partial-episode bootstrapping", "a time limit is no end: what follows still counts", SAME,
     "test_truncation_is_not_termination"),
    ("Sutton and Barto 2018", "equation 7.1", "n-step returns, cut at the end of an episode", SAME,
     "test_n_step_returns_are_the_sums_of_the_rewards_to_come"),
    ("Barth-Maron et al. 2018", "n-step returns", "the value after n steps counts gamma ** n; of fewer, less",
     SAME, "test_n_step_returns_are_the_sums_of_the_rewards_to_come"),
    ("Bellemare et al. 2017", "algorithm 1", "projection on the support, an atom at a time", SAME,
     "test_projection_is_the_papers_algorithm"),
    ("Barth-Maron et al. 2018", "algorithm 1", "the critic's loss is the cross-entropy from the projected target",
     SAME, "test_surprise_is_the_divergence_of_each_transition"),
    ("Barth-Maron et al. 2018", "section 4", "several actors, each with noise of its own",
     "noise grows from actor to actor, as in Horgan et al. 2018", "test_each_actor_has_noise_of_its_own_size"),
    ("Schaul et al. 2016", "equation 1", "drawn in proportion to priority ** alpha", SAME,
     "test_priorities_decide_how_often_and_weights_take_it_back"),
    ("Schaul et al. 2016", "section 3.4", "weights (N P) ** -beta over the largest of the batch, beta rising to 1",
     SAME, "test_beta_rises_to_one_and_stays"),
    ("Schaul et al. 2016", "algorithm 1", "a new transition gets the largest priority", SAME,
     "test_a_new_transition_gets_the_largest_priority"),
    ("Schaul et al. 2016", "section 3.4", "weights multiply what each transition adds to the loss", SAME,
     "test_weights_count_in_the_critics_loss"),
    ("Plappert et al. 2018", "appendix C", "distance: root mean square between the actions of both actors",
     "the disturbed one is the one that acts, so what the actor has learnt since the episode began counts too",
     "test_noise_distance_and_adaptation_by_hand"),
    ("Plappert et al. 2018", "adaptive noise scaling", "scale * 1.01 below the target distance, / 1.01 above", SAME,
     "test_noise_distance_and_adaptation_by_hand"),
    ("Plappert et al. 2018", "section 3", "layer norms between layers, not disturbed; a new copy each episode", SAME,
     "test_parameter_noise_finds_the_scale_that_moves_actions_by_its_target"),
    ("Fujimoto, Conti et al. 2019", "algorithm 1", "argmax of Q over actions with G > threshold * max G",
     ">=, so that a threshold of 1 is cloning",
     "test_threshold_goes_from_cloning_to_plain_q_learning"),
    ("Fujimoto, Conti et al. 2019", "algorithm 1", "the fast network chooses, the slow one judges; smooth L1", SAME,
     "test_bcq_target_by_hand"),
]
LANE = "mhi/Lane-v0"
SMALL: dict[str, Any] = {"hidden": 16, "batch": 16, "memory": 4_000}
KINDS = [(TD3, td3), (DDPG, ddpg), (D4PG, d4pg)]


def make(kind: Any, module: Any, env_id: str = LANE, **changes: Any) -> Any:
    return kind(env_id, module.settings_for(env_id, **{**SMALL, **changes}), 0)


@pytest.mark.parametrize("row", DETAILS, ids=lambda row: row[4][5:45])
def test_every_row_names_a_test(row: tuple[str, ...]) -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert f"\ndef {row[4]}(" in tests


@pytest.mark.parametrize(("kind", "module"), KINDS)
def test_slow_copies_start_as_copies(kind: Any, module: Any) -> None:
    learner = make(kind, module)
    pairs = [(name.removeprefix("slow_"), name) for name in learner.KEPT if name.startswith("slow_")]
    assert len(pairs) == 2
    for fast, slow in pairs:
        assert all(map(torch.equal, getattr(learner, fast).parameters(), getattr(learner, slow).parameters()))


@pytest.mark.parametrize("env_id", [LANE, "mhi/LaneImage-v0"])
@pytest.mark.parametrize(("kind", "module"), KINDS)
def test_last_layer_is_small(kind: Any, module: Any, env_id: str) -> None:
    last = make(kind, module, env_id, hidden=128).actor.body[-1]
    for weight in (last.weight, last.bias):
        assert 0 < float(weight.detach().abs().max()) <= 3e-4
    assert float(last.weight.detach().std()) == pytest.approx(3e-4 / 3**0.5, rel=0.15), "drawn evenly"


@pytest.mark.parametrize("module", [td3, ddpg, d4pg])
def test_rates_and_batches_of_the_presets(module: Any) -> None:
    state, image = (module.settings_for(env_id) for env_id in (LANE, "mhi/LaneImage-v0"))
    assert (state.actor_rate, state.critic_rate, state.batch) == (1e-3, 1e-3, 128)
    assert (image.actor_rate, image.critic_rate, image.batch) == (1e-4, 1e-3, 64)


@pytest.mark.parametrize(("kind", "module"), KINDS)
def test_actor_gradient_is_the_chain_rule(kind: Any, module: Any) -> None:
    """The gradient that the optimiser gets is dQ/da * da/dtheta, an observation at a time, averaged."""
    learner = make(kind, module, last=0.3, calm=0.0)
    seen = torch.randn(3, 10, generator=torch.Generator().manual_seed(1))
    critic = learner.critics if kind is TD3 else learner.critic
    expected = torch.zeros_like(learner.actor.body[-1].weight)
    for row in seen:
        action = learner.actor(row[None]).detach().requires_grad_()
        said = critic(row[None], action)
        value = said[0].sum() if kind is TD3 else learner.values(said).sum() if kind is D4PG else said.sum()
        (slope,) = torch.autograd.grad(value, action)
        for number in range(2):
            (part,) = torch.autograd.grad(learner.actor(row[None])[0, number], learner.actor.body[-1].weight)
            expected += slope[0, number] * part / len(seen)
    one = type("Seen", (), {"before": seen})
    learner.update_actor(one)
    torch.testing.assert_close(learner.actor.body[-1].weight.grad, -expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(("kind", "module"), KINDS)
def test_warm_up_is_random_and_what_follows_is_the_policy_with_noise(kind: Any, module: Any) -> None:
    learner = make(kind, module)
    assert learner.settings.warm_up == 500
    seen = np.zeros((learner.settings.actors if kind is D4PG else 1, 10), np.float32)
    early = np.concatenate([learner.explore(seen) for _ in range(2_000)])
    assert abs(early.mean()) < 0.03 and early.std() == pytest.approx(3**-0.5, rel=0.03), "even from -1 to 1"
    learner.step = 500
    late = np.stack([learner.explore(seen)[0] for _ in range(4_000)])
    assert np.abs(late.mean(axis=0) - learner.actor.act(seen)[0]).max() < 0.03
    assert late.std() == pytest.approx(0.2, rel=0.08)


@pytest.mark.parametrize(("kind", "module"), KINDS)
def test_truncation_is_not_termination(kind: Any, module: Any) -> None:
    """Pendulum ends by its time limit alone: every transition still counts what follows. A disengagement ends all."""
    pendulum = make(kind, module, "Pendulum-v1", warm_up=10_000)
    pendulum.stretch(820)
    kept, discount = pendulum.replay, pendulum.settings.discount
    assert len(kept) >= 800 and (kept.bootstrap[:len(kept)] > 0).all()
    powers = np.log(kept.bootstrap[:len(kept)]) / np.log(discount)
    np.testing.assert_allclose(powers, np.round(powers), atol=1e-4)
    assert powers.min() > 0.9 and powers.max() < 3.1
    car = make(kind, module, warm_up=10_000)
    car.stretch(1_200)
    ended = car.replay.bootstrap[:len(car.replay)] == 0
    assert ended.any()
    assert (np.abs(car.replay.after[:len(car.replay)][ended][:, 0]) >= 1).all(), "each end is outside the lane"
    assert (np.abs(car.replay.after[:len(car.replay)][~ended][:, 0]) < 1).all()


def test_each_actor_has_noise_of_its_own_size() -> None:
    learner = make(D4PG, d4pg, actors=4)
    learner.step = 500
    drawn = np.stack([learner.explore(np.zeros((4, 10), np.float32)) for _ in range(4_000)])
    np.testing.assert_allclose(drawn.std(axis=0).mean(axis=1), 0.2 * np.linspace(1, 2, 4), rtol=0.06)


def test_beta_rises_to_one_and_stays() -> None:
    learner, asked = make(D4PG, d4pg, beta_steps=1_000), []
    learner.stretch(400)
    draw = learner.replay.draw

    def noted(count: int, rng: np.random.Generator, beta: float) -> Any:
        asked.append(beta)
        return draw(count, rng, beta)

    learner.replay.draw = noted
    for step in (0, 500, 1_000, 3_000):
        learner.step = step
        learner.learn()
    assert asked == pytest.approx([0.4, 0.7, 1.0, 1.0])


def test_noise_distance_and_adaptation_by_hand() -> None:
    learner = make(DDPG, ddpg, noise="parameter")
    noise, seen = learner.disturbed, torch.randn(32, 10)
    noise.disturb(learner.actor, np.random.default_rng(0))
    with torch.no_grad():
        gaps = (noise.actor(seen) - learner.actor(seen)).numpy()
    noise.scale, noise.target = 0.5, 1e9
    assert noise.adapt(learner.actor, seen) == pytest.approx(float(np.sqrt(np.mean(gaps**2))), rel=1e-5)
    assert noise.scale == pytest.approx(0.5 * 1.01)
    noise.target = 0.0
    noise.adapt(learner.actor, seen)
    assert noise.scale == pytest.approx(0.5)
