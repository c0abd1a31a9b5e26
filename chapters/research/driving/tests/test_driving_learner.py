"""Targets, projection and noise against hand computations and slow references; one training that learns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from labhandbook.runs import Run
from mhi_driving.learner import (
    PRESETS,
    Batch,
    Heads,
    Learner,
    Settings,
    project,
    settings_for,
    soft_update,
    td_target,
)
from mhi_driving.noise import Gaussian, OrnsteinUhlenbeck, ParameterNoise
from mhi_driving.train import params, train

SUPPORT = torch.tensor([0.0, 1.0, 2.0, 3.0])


def slow_projection(chances: list[float], reward: float, bootstrap: float, support: list[float]) -> list[float]:
    """Algorithm 1 of Bellemare et al. 2017, an atom at a time."""
    out, gap = [0.0] * len(support), support[1] - support[0]
    for chance, atom in zip(chances, support, strict=True):
        moved = min(max(reward + bootstrap * atom, support[0]), support[-1])
        place = (moved - support[0]) / gap
        lower = int(np.floor(place))
        if lower == place:
            out[lower] += chance
        else:
            out[lower] += chance * (lower + 1 - place)
            out[lower + 1] += chance * (place - lower)
    return out


@pytest.mark.parametrize(("reward", "bootstrap", "expected"), [
    (0.0, 1.0, [0.1, 0.2, 0.3, 0.4]),  # nothing moves
    (1.0, 1.0, [0.0, 0.1, 0.2, 0.7]),  # one atom up, the top ones pile up
    (1.5, 0.0, [0.0, 0.5, 0.5, 0.0]),  # an end: the reward alone, half way between two atoms
    (-9.0, 1.0, [1.0, 0.0, 0.0, 0.0]),  # below the support
    (0.5, 0.5, [0.05, 0.1 / 2 + 0.2 + 0.3 / 2, 0.3 / 2 + 0.4, 0.0]),  # shrunk to 0.5, 1, 1.5, 2
])
def test_projection_by_hand(reward: float, bootstrap: float, expected: list[float]) -> None:
    chances = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    got = project(chances, torch.tensor([reward]), torch.tensor([bootstrap]), SUPPORT)
    torch.testing.assert_close(got[0], torch.tensor(expected))


def test_projection_is_the_papers_algorithm() -> None:
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(51), 200)
    reward, bootstrap = rng.uniform(-12, 12, 200), rng.choice([0, 0.9, 0.97, 1], 200)
    reward[:50] = reward[:50].round()
    support = np.linspace(-10, 10, 51)
    got = project(*(torch.from_numpy(array) for array in (chances, reward, bootstrap, support)))
    expected = [slow_projection(list(p), r, b, list(support))
                for p, r, b in zip(chances, reward, bootstrap, strict=True)]
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(got.sum(dim=1), torch.ones(200, dtype=torch.float64), atol=1e-12, rtol=0)


def test_projection_keeps_the_mean_inside_the_support() -> None:
    chances = torch.tensor([[0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)
    got = project(chances, torch.tensor([0.3]).double(), torch.tensor([0.9]).double(), SUPPORT.double())
    assert float((got * SUPPORT).sum()) == pytest.approx(0.3 + 0.9 * 2.0, abs=1e-6)


def test_td_target_by_hand() -> None:
    values = torch.tensor([[1.0, 5.0], [2.0, 4.0]])
    got = td_target(torch.tensor([1.0, 1.0]), torch.tensor([0.5, 0.0]), values)
    assert got.tolist() == [1.5, 1.0]


class Says(nn.Module):
    """A network that says what it is told to."""

    def __init__(self, said: Tensor) -> None:
        super().__init__()
        self.said = said

    def forward(self, *seen: Tensor) -> Tensor:
        return self.said


class Echo(nn.Module):
    """Two critics whose values are the action and twice the action."""

    def forward(self, seen: Tensor, action: Tensor) -> Tensor:
        return torch.stack([action, 2 * action])


def a_batch(size: int = 2, observation: int = 3) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(torch.randn(size, observation, generator=generator), torch.zeros(size, 1), torch.full((size,), 1.0),
                 torch.randn(size, observation, generator=generator), torch.full((size,), 0.5), torch.ones(size))


def test_td3_target_smooths_within_the_clip_and_takes_the_smaller() -> None:
    learner = Learner(replace(PRESETS["td3"], smoothing=5.0, smoothing_clip=0.25), (3,), 1, seed=0)
    learner.actor_target, learner.critic_target = Says(torch.full((400, 1), 0.5)), Echo()  # type: ignore[assignment]
    target = learner.target(a_batch(400))
    assert target.min() == pytest.approx(1 + 0.5 * 0.25) and target.max() == pytest.approx(1 + 0.5 * 0.75)


def test_td3_target_keeps_actions_in_range() -> None:
    learner = Learner(replace(PRESETS["td3"], smoothing=5.0), (3,), 1, seed=0)
    learner.actor_target, learner.critic_target = Says(torch.full((400, 1), 0.9)), Echo()  # type: ignore[assignment]
    assert learner.target(a_batch(400)).max() == pytest.approx(1 + 0.5 * 1.0)


def test_d4pg_target_is_the_projected_distribution_of_the_smaller_critic() -> None:
    learner = Learner(replace(PRESETS["d4pg"], atoms=4, low=0, high=3, critics=2), (3,), 1, seed=0)
    low, high = torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.tensor([0.0, 0.0, 0.5, 0.5]).clamp(1e-9)
    said = torch.stack([torch.stack([low, high]), torch.stack([high, low])]).log()
    learner.critic_target = Says(said)  # type: ignore[assignment]
    expected = project(torch.stack([low, low]), torch.ones(2), torch.full((2,), 0.5), SUPPORT)
    torch.testing.assert_close(learner.target(a_batch()), expected)


def test_soft_update_moves_by_tau() -> None:
    slow, fast = nn.Linear(1, 1), nn.Linear(1, 1)
    with torch.no_grad():
        slow.weight.fill_(1.0)
        fast.weight.fill_(5.0)
    soft_update(slow, fast, 0.25)
    assert slow.weight.item() == 2.0 and fast.weight.item() == 5.0


def test_heads_are_linear_layers_side_by_side() -> None:
    heads, x = Heads(3, 4, 2), torch.randn(3, 5, 4)
    for at in range(3):
        torch.testing.assert_close(heads(x)[at], x[at] @ heads.weight[at] + heads.bias[at, 0])


def test_actor_waits_for_the_critic() -> None:
    learner = Learner(PRESETS["td3"], (3,), 1, seed=0)
    before = [weight.clone() for weight in learner.actor.parameters()]
    target = [weight.clone() for weight in learner.critic_target.parameters()]
    learner.update(a_batch())
    assert all(map(torch.equal, before, learner.actor.parameters()))
    assert all(map(torch.equal, target, learner.critic_target.parameters()))
    learner.update(a_batch())
    assert not any(map(torch.equal, before, learner.actor.parameters()))
    assert not all(map(torch.equal, target, learner.critic_target.parameters()))


def test_actor_climbs_the_critic_and_leaves_it_alone() -> None:
    learner, batch = Learner(PRESETS["ddpg"], (3,), 1, seed=0), a_batch(64)
    critic = [weight.clone() for weight in learner.critic.parameters()]

    def height() -> float:
        return learner.values(learner.critic(batch.before, learner.actor(batch.before))).mean().item()

    low = height()
    for _ in range(20):
        learner._update_actor(batch)
    assert height() > low and all(map(torch.equal, critic, learner.critic.parameters()))


@pytest.mark.parametrize("preset", PRESETS)
def test_errors_are_those_of_each_transition(preset: str) -> None:
    """For a number: |TD error|. For a distribution: its divergence from the target, 0 where both are one."""
    learner, batch = Learner(replace(PRESETS[preset], smoothing=0), (3,), 1, seed=0), a_batch(5)
    target, said = learner.target(batch), learner.critic(batch.before, batch.action)
    if learner.settings.atoms == 1:
        expected = (target - said[:, :, 0]).abs().mean(dim=0)
    else:
        expected = torch.stack([nn.functional.kl_div(said[0, at].log_softmax(0), target[at], reduction="sum")
                                for at in range(5)])
    torch.testing.assert_close(torch.from_numpy(learner.update(batch)[1]), expected.detach(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("dt", [0.1, 1.0, 5.0])
def test_ornstein_uhlenbeck_is_stationary_for_every_step(dt: float) -> None:
    """In the long run its deviation is `scale` = sigma / sqrt(2 theta), and it forgets as exp(-theta t)."""
    rng, theta = np.random.default_rng(0), 0.15
    noise = OrnsteinUhlenbeck(np.full(4_000, 0.3, np.float32), 1, theta, dt)
    for _ in range(int(40 / dt) + 1):
        before = noise(rng)
    after = noise(rng)
    assert float(after.std()) == pytest.approx(0.3, rel=0.04) and abs(float(after.mean())) < 0.02
    assert np.corrcoef(before[:, 0], after[:, 0])[0, 1] == pytest.approx(np.exp(-theta * dt), abs=0.04)


def test_noise_has_one_scale_for_each_actor_and_starts_anew() -> None:
    rng, scale = np.random.default_rng(0), np.array([0.1, 1.0], np.float32)
    drawn = np.stack([Gaussian(scale, 1)(rng) for _ in range(5_000)])
    np.testing.assert_allclose(drawn.std(axis=0)[:, 0], scale, rtol=0.05)
    swing = OrnsteinUhlenbeck(scale, 1)
    swing(rng)
    swing.restart(0)
    assert swing.x[0] == 0 and swing.x[1] != 0


def test_parameter_noise_finds_the_scale_that_moves_actions_by_its_target() -> None:
    learner, rng = Learner(PRESETS["ddpg-parameter"], (3,), 1, seed=0), np.random.default_rng(0)
    noise, seen, distances = ParameterNoise(learner.actor, 0.2, factor=1.05), torch.randn(256, 3), []
    for _ in range(400):
        noise.disturb(learner.actor, rng)
        distances.append(noise.adapt(learner.actor, seen))
    assert np.mean(distances[200:]) == pytest.approx(0.2, rel=0.25)
    norms = [[part.weight for part in actor.modules() if isinstance(part, nn.LayerNorm)]
             for actor in (noise.actor, learner.actor)]
    assert len(norms[0]) == 2 and all(map(torch.equal, *norms))


TINY = {"steps": 300, "interval": 100, "warm_up": 50, "hidden": 16, "batch": 16}


def weights(folder: Path) -> dict[str, Tensor]:
    last = max((folder / "checkpoints").glob("[0-9]*"))
    actor: dict[str, Tensor] = torch.load(last / "learner.pt", weights_only=True)["actor"]
    return actor


def a_training(folder: Path, settings: Settings, stop_after: int | None = None) -> None:
    with Run.open(folder, params("mhi/Lane-v0", settings, 0)) as run:
        def tell(step: int, score: object) -> None:
            if step == stop_after:
                run._signal = 15
        train(run, "mhi/Lane-v0", settings, 0, tell=tell)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_stopped_training_goes_on_to_the_same_bits(preset: str, tmp_path: Path) -> None:
    settings = settings_for(preset, "mhi/Lane-v0", **TINY)
    a_training(tmp_path / "whole", settings)
    a_training(tmp_path / "parts", settings, stop_after=100)
    assert not (tmp_path / "parts" / "result.json").exists()
    a_training(tmp_path / "parts", settings)
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert (tmp_path / "whole/result.json").read_text() == (tmp_path / "parts/result.json").read_text()
    assert (tmp_path / "whole/metrics.jsonl").read_text() == (tmp_path / "parts/metrics.jsonl").read_text()


def test_images_are_learnt_from_too(tmp_path: Path) -> None:
    settings = settings_for("d4pg", "mhi/LaneImage-v0", **{**TINY, "steps": 240, "interval": 120})
    with Run.open(tmp_path, {}) as run:
        train(run, "mhi/LaneImage-v0", settings, 0)
        assert run.result is not None and run.metrics()[-1]["critic_loss"] > 0


def test_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    settings = settings_for("d4pg", "Pendulum-v1", **{**TINY, "steps": 240, "interval": 120})
    for processes in (False, True):
        with Run.open(tmp_path / str(processes), {}) as run:
            train(run, "Pendulum-v1", replace(settings, processes=processes), 0)
    one, other = weights(tmp_path / "False"), weights(tmp_path / "True")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_td3_swings_the_pendulum_up(tmp_path: Path) -> None:
    settings = settings_for("td3", "Pendulum-v1", steps=5_000)
    with Run.open(tmp_path, params("Pendulum-v1", settings, 0)) as run:
        train(run, "Pendulum-v1", settings, 0)
        assert run.result is not None and run.result["best"]["mean"] > -200
        assert json.loads((tmp_path / "params.json").read_text())["critics"] == 2
