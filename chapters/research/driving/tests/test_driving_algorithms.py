"""DDPG, TD3 and D4PG, each in a file of its own, held to the same oracles: hand computations and slow references."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import mhi_driving
from labhandbook.runs import Run
from mhi_driving import d4pg, ddpg, td3
from mhi_driving.d4pg import D4PG, project
from mhi_driving.ddpg import DDPG, OrnsteinUhlenbeck, ParameterNoise
from mhi_driving.replay import Batch
from mhi_driving.td3 import TD3
from mhi_driving.train import PRESETS, begin, params, settings_for, train

LANE, IMAGE = "mhi/Lane-v0", "mhi/LaneImage-v0"
SUPPORT = torch.tensor([0.0, 1.0, 2.0, 3.0])
SMALL: dict[str, Any] = {"hidden": 16, "batch": 16, "memory": 2_000}


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


class Says(nn.Module):
    """A network that always gives the same values."""

    def __init__(self, said: Tensor) -> None:
        super().__init__()
        self.said = said

    def forward(self, *seen: Tensor) -> Tensor:
        return self.said


class Echo(nn.Module):
    """Critics whose values are multiples of the action."""

    def __init__(self, *factors: float) -> None:
        super().__init__()
        self.factors = factors

    def forward(self, seen: Tensor, action: Tensor) -> Tensor:
        return torch.stack([factor * action[:, 0] for factor in self.factors])


def a_batch(size: int = 2, observation: int = 10, action: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(torch.randn(size, observation, generator=generator), torch.zeros(size, action),
                 torch.full((size,), 1.0), torch.randn(size, observation, generator=generator),
                 torch.full((size,), 0.5), torch.ones(size), np.arange(size))


def a_td3(**changes: Any) -> TD3:
    return TD3(LANE, td3.settings_for(LANE, **{**SMALL, **changes}), 0)


def a_ddpg(**changes: Any) -> DDPG:
    return DDPG(LANE, ddpg.settings_for(LANE, **{**SMALL, **changes}), 0)


def a_d4pg(**changes: Any) -> D4PG:
    return D4PG(LANE, d4pg.settings_for(LANE, **{**SMALL, **changes}), 0)


def test_ddpg_target_is_the_reward_and_the_discounted_value_of_the_slow_networks() -> None:
    learner = a_ddpg()
    learner.slow_actor = Says(torch.tensor([[0.5], [-0.25]]))  # type: ignore[assignment]
    learner.slow_critic.forward = lambda seen, action: 8 * action[:, 0]  # type: ignore[method-assign]
    batch = a_batch()
    batch.bootstrap[1] = 0
    assert learner.target(batch).tolist() == [1 + 0.5 * 4, 1.0]


def test_td3_target_smooths_within_the_clip_and_takes_the_smaller() -> None:
    learner = a_td3(smoothing=5.0, clip=0.25)
    learner.slow_actor, learner.slow_critics = Says(torch.full((400, 1), 0.5)), Echo(2, 1)  # type: ignore[assignment]
    target = learner.target(a_batch(400))
    assert target.min() == pytest.approx(1 + 0.5 * 0.25) and target.max() == pytest.approx(1 + 0.5 * 0.75)


def test_td3_target_keeps_actions_in_range() -> None:
    learner = a_td3(smoothing=5.0)
    learner.slow_actor, learner.slow_critics = Says(torch.full((400, 1), 0.9)), Echo(1, 2)  # type: ignore[assignment]
    assert learner.target(a_batch(400)).max() == pytest.approx(1 + 0.5 * 1.0)


def test_d4pg_target_is_the_projected_distribution_of_the_slow_critic() -> None:
    learner = a_d4pg(atoms=4, low=0.0, high=3.0)
    chances = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]])
    learner.slow_critic = Says(chances.log())  # type: ignore[assignment]
    expected = [slow_projection(row.tolist(), 1.0, 0.5, [0.0, 1.0, 2.0, 3.0]) for row in chances]
    torch.testing.assert_close(learner.target(a_batch()), torch.tensor(expected))


def test_surprise_is_the_divergence_of_each_transition() -> None:
    learner, batch = a_d4pg(), a_batch(5)
    target, said = learner.target(batch), learner.critic(batch.before, batch.action)
    expected = torch.stack([nn.functional.kl_div(said[at].log_softmax(0), target[at], reduction="sum")
                            for at in range(5)])
    torch.testing.assert_close(torch.from_numpy(learner.update(batch)[1]), expected.detach(), atol=1e-5, rtol=1e-4)


def test_weights_count_in_the_critics_loss() -> None:
    """A transition of weight 0 leaves no trace: the gradient is that of the others, at their share of the batch."""
    one, other = a_d4pg(), a_d4pg()
    batch = a_batch(4)
    batch.weight[2:] = 0
    half = Batch(batch.before[:2], batch.action[:2], batch.reward[:2], batch.after[:2], batch.bootstrap[:2],
                 torch.ones(2), np.arange(2))
    one.update(batch)
    other.update(half)
    for first, second in zip(one.critic.parameters(), other.critic.parameters(), strict=True):
        torch.testing.assert_close(first.grad, second.grad / 2 if second.grad is not None else None)


@pytest.mark.parametrize("follow", [td3.follow, ddpg.follow, d4pg.follow])
def test_soft_update_moves_by_tau(follow: Any) -> None:
    slow, fast = nn.Linear(1, 1), nn.Linear(1, 1)
    with torch.no_grad():
        slow.weight.fill_(1.0)
        fast.weight.fill_(5.0)
    follow(slow, fast, 0.25)
    assert slow.weight.item() == 2.0 and fast.weight.item() == 5.0


def same_weights(before: list[Tensor], network: nn.Module) -> bool:
    return all(map(torch.equal, before, network.parameters()))


def test_td3s_actor_and_slow_copies_wait_for_the_critics() -> None:
    learner = a_td3()
    kept = {name: [weight.clone() for weight in getattr(learner, name).parameters()]
            for name in ("actor", "slow_actor", "slow_critics", "critics")}
    learner.update(a_batch())
    assert [name for name in kept if not same_weights(kept[name], getattr(learner, name))] == ["critics"]
    learner.update(a_batch())
    assert not any(same_weights(kept[name], getattr(learner, name)) for name in kept)


@pytest.mark.parametrize("make", [a_td3, a_ddpg, a_d4pg])
def test_actor_climbs_the_critic_and_leaves_it_alone(make: Any) -> None:
    learner, batch = make(last=0.3), a_batch(64)
    critic = learner.critics if isinstance(learner, TD3) else learner.critic
    before = [weight.clone() for weight in critic.parameters()]

    def height() -> float:
        said = critic(batch.before, learner.actor(batch.before))
        said = learner.values(said) if isinstance(learner, D4PG) else said[0] if isinstance(learner, TD3) else said
        return float(said.detach().mean())

    low = height()
    numbers = [learner.update_actor(batch) for _ in range(20)]
    assert height() > low and same_weights(before, critic)
    assert all(each["actor_gradient"] > 0 and 0 <= each["saturated"] <= 1 for each in numbers)


@pytest.mark.parametrize("make", [a_td3, a_ddpg, a_d4pg])
def test_first_actions_are_near_zero_and_saturation_is_counted(make: Any) -> None:
    learner, batch = make(calm=0.0), a_batch(64)
    assert float(learner.actor(batch.before).detach().abs().max()) < 0.05
    assert learner.update_actor(batch)["saturated"] == 0
    with torch.no_grad():
        learner.actor.body[-1].bias.copy_(torch.tensor([5.0, 0.0]))
    numbers = learner.update_actor(batch)
    assert numbers["saturated"] == 0.5, "one of two actions is beyond 0.99"
    with torch.no_grad():
        learner.actor.body[-1].bias.fill_(12.0)
    assert learner.update_actor(batch)["actor_gradient"] < numbers["actor_gradient"] / 100, "nothing is learnt there"


@pytest.mark.parametrize("make", [a_td3, a_ddpg, a_d4pg])
def test_a_saturated_actor_comes_back_by_the_squares(make: Any) -> None:
    """Without them its gradient is 0, whatever the critic says."""
    learner, batch = make(calm=0.01, actor_rate=0.05), a_batch(64)
    with torch.no_grad():
        learner.actor.body[-1].bias.fill_(12.0)
    shares = [learner.update_actor(batch)["saturated"] for _ in range(300)]
    assert shares[0] == 1 and shares[-1] < 0.5


@pytest.mark.parametrize("dt", [0.1, 1.0, 5.0])
def test_ornstein_uhlenbeck_is_stationary_for_every_step(dt: float) -> None:
    """In the long run its deviation is `scale` = sigma / sqrt(2 theta), and it forgets as exp(-theta t)."""
    rng, theta = np.random.default_rng(0), 0.15
    noise = OrnsteinUhlenbeck(0.3, (4_000, 1), theta, dt)
    for _ in range(int(40 / dt) + 1):
        before = noise(rng)
    after = noise(rng)
    assert float(after.std()) == pytest.approx(0.3, rel=0.04) and abs(float(after.mean())) < 0.02
    assert np.corrcoef(before[:, 0], after[:, 0])[0, 1] == pytest.approx(np.exp(-theta * dt), abs=0.04)


def test_parameter_noise_finds_the_scale_that_moves_actions_by_its_target() -> None:
    learner, rng = a_ddpg(noise="parameter", hidden=64), np.random.default_rng(0)
    noise, seen, distances = ParameterNoise(learner.actor, 0.2, factor=1.05), torch.randn(256, 10), []
    for _ in range(400):
        noise.disturb(learner.actor, rng)
        distances.append(noise.adapt(learner.actor, seen))
    assert np.mean(distances[200:]) == pytest.approx(0.2, rel=0.25)
    norms = [[part.weight for part in actor.modules() if isinstance(part, nn.LayerNorm)]
             for actor in (noise.actor, learner.actor)]
    assert len(norms[0]) == 2 and all(map(torch.equal, *norms))


TINY: dict[str, Any] = {"steps": 300, "interval": 100, "warm_up": 50, "hidden": 16, "batch": 16}


def weights(folder: Path) -> dict[str, Tensor]:
    last = max((folder / "checkpoints").glob("[0-9]*"))
    actor: dict[str, Tensor] = torch.load(last / "learner.pt", weights_only=True)["actor"]
    return actor


def a_training(folder: Path, env_id: str, settings: Any, stop_after: int | None = None) -> None:
    with Run.open(folder, params(env_id, settings, 0), steps=settings.steps) as run:
        def tell(step: int, score: object) -> None:
            if step == stop_after:
                run._signal = 15
        train(run, env_id, settings, 0, tell=tell)


@pytest.mark.parametrize("env_id", [LANE, IMAGE])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_stopped_training_goes_on_to_the_same_bits(preset: str, env_id: str, tmp_path: Path) -> None:
    """And so does one that was finished with fewer steps, and is asked for more: here it is the same one."""
    settings, less = (settings_for(preset, env_id, **{**TINY, "steps": steps}) for steps in (300, 200))
    if preset == "d4pg":
        less = d4pg.settings_for(env_id, **{**TINY, "steps": 200, "beta_steps": 300})
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    a_training(whole, env_id, settings)
    a_training(parts, env_id, less, stop_after=100)
    assert not (parts / "result.json").exists()
    a_training(parts, env_id, less)
    assert (parts / "result.json").exists()
    a_training(parts, env_id, settings)
    one, other = weights(whole), weights(parts)
    assert all(torch.equal(one[part], other[part]) for part in one)
    for file in ("result.json", "metrics.jsonl"):
        assert (whole / file).read_text() == (parts / file).read_text()


def test_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    for processes in (False, True):
        settings = settings_for("d4pg", "Pendulum-v1", **{**TINY, "steps": 240, "interval": 120}, processes=processes)
        a_training(tmp_path / str(processes), "Pendulum-v1", settings)
    one, other = weights(tmp_path / "False"), weights(tmp_path / "True")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_td3_swings_the_pendulum_up(tmp_path: Path) -> None:
    settings = settings_for("td3", "Pendulum-v1", steps=5_000)
    a_training(tmp_path, "Pendulum-v1", settings)
    assert json.loads((tmp_path / "result.json").read_text())["best"]["mean"] > -200
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert all({"saturated", "actor_gradient", "critic_gradient"} <= line.keys() for line in lines)


SOURCE = Path(str(mhi_driving.__file__)).parent


@pytest.mark.parametrize("name", ["td3", "ddpg", "d4pg", "bcq"])
def test_one_algorithm_is_one_file(name: str) -> None:
    """It shares the replay or the log, and the environment, with the others, no more."""
    text = (SOURCE / f"{name}.py").read_text(encoding="utf-8")
    imports = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    shared = {"drive", "replay", "logs", "drivers"}
    own = {str(module).removeprefix("mhi_driving.") for module in imports if str(module).startswith("mhi_driving")}
    assert own <= shared and len(text.splitlines()) <= 265


def test_no_module_imports_in_a_circle() -> None:
    needs = {}
    for path in SOURCE.glob("*.py"):
        nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                 if isinstance(node, ast.ImportFrom) and str(node.module).startswith("mhi_driving")]
        named = {str(node.module).removeprefix("mhi_driving").lstrip(".") for node in nodes}
        named |= {alias.name for node in nodes if node.module == "mhi_driving" for alias in node.names}
        needs[path.stem] = named - {""}
    while free := [name for name, wanted in needs.items() if not wanted & needs.keys()]:
        for name in free:
            del needs[name]
    assert not needs, f"these import each other: {sorted(needs)}"


def test_begin_makes_the_algorithm_of_the_settings() -> None:
    made = [type(begin(LANE, settings_for(preset, LANE, **SMALL), 0)).__name__ for preset in PRESETS]
    assert made == ["DDPG", "TD3", "D4PG", "DDPG"]
