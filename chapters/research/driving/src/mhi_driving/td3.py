"""TD3, whole in this file: twin delayed deep deterministic policy gradients (Fujimoto, van Hoof and Meger 2018).

An actor climbs the value that a critic gives its actions. Three things keep the critic's errors small:

    two critics         the target takes the smaller of their values
    a delayed actor     one update of the actor, and of all slow copies, for every two of the critics
    smoothed targets    the target's action has clipped noise on it

Read from the top: settings, networks, one update, the loop. Elsewhere are the replay (`replay.py`), the environment
(`drive.py`) and the run around a training (`train.py`). Shapes: B is the batch. Actions lie in [-1, 1].
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mhi_driving.drive import Features, TrainingEnvs, same
from mhi_driving.replay import Array, Batch, Replay, Transition, as_input


@dataclass(frozen=True)
class Settings:
    """What decides a training, and for how many steps it runs."""

    steps: int = 8_000
    warm_up: int = 500  # of these, the first ones with random actions
    interval: int = 1_000  # steps between two evaluations, each with a checkpoint
    batch: int = 128
    hidden: int = 128  # width of the two hidden layers
    actor_rate: float = 1e-3
    critic_rate: float = 1e-3
    last: float = 3e-4  # the actor's last layer is drawn from -last to last
    calm: float = 0.01  # how much the squares of what goes into tanh count in the actor's loss
    discount: float = 0.98
    tau: float = 0.01  # how far the slow copies move in each update
    memory: int = 100_000  # transitions in the replay
    noise: float = 0.2  # standard deviation of the exploration, as a share of half the range of actions
    delay: int = 2  # updates of the critics for each of the actor
    smoothing: float = 0.2  # standard deviation of the noise on target actions
    clip: float = 0.5  # of that noise


# What an environment needs, on top of these. From images the actor has to learn more slowly, or it saturates.
TASKS: dict[str, dict[str, Any]] = {
    "mhi/Lane-v0": {"steps": 16_000},
    "mhi/LaneImage-v0": {"steps": 10_000, "actor_rate": 1e-4, "batch": 64},
}


def settings_for(env_id: str, **changes: Any) -> Settings:
    """The settings for an environment, with what is changed by hand on top."""
    return Settings(**{**TASKS.get(env_id, {}), **changes})


def encoder(observation: tuple[int, ...]) -> tuple[nn.Module, int]:
    """What turns observations into vectors, and their size: convolutions where they are images."""
    images = len(observation) == 3
    layers = [nn.Conv2d(observation[0], 8, 4, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU()] if images else []
    body = nn.Sequential(*layers, nn.Flatten())
    return body, body(torch.zeros(1, *observation)).shape[1]


class Actor(nn.Module):
    """The policy: (B, observation) -> (B, action), in [-1, 1].

    A small last layer keeps the first actions near 0, where tanh has a slope. Where |action| is near 1 it has none:
    the actor then learns nothing more, whatever the critic says (Lillicrap et al. 2016, section 7).
    """

    def __init__(self, observation: tuple[int, ...], action: int, hidden: int, last: float) -> None:
        super().__init__()
        seen, size = encoder(observation)
        out = nn.Linear(hidden, action)
        nn.init.uniform_(out.weight, -last, last)
        nn.init.uniform_(out.bias, -last, last)
        self.body = nn.Sequential(seen, nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), out)

    def forward(self, seen: Tensor) -> Tensor:
        """The actions."""
        return torch.tanh(self.body(seen))

    @torch.no_grad()
    def act(self, seen: Array) -> Array:
        """The actions in arrays, without noise: (cars, observation) -> (cars, action)."""
        return np.asarray(self(as_input(seen)))


class Critics(nn.Module):
    """Two critics on one encoder: (B, observation), (B, action) -> (2, B)."""

    def __init__(self, observation: tuple[int, ...], action: int, hidden: int) -> None:
        super().__init__()
        self.encoder, size = encoder(observation)
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(size + action, hidden), nn.ReLU(),
                                                 nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))
                                   for _ in range(2))

    def forward(self, seen: Tensor, action: Tensor) -> Tensor:
        """What each critic says of these actions."""
        both = torch.cat([self.encoder(seen), action], dim=1)
        return torch.stack([head(both)[:, 0] for head in self.heads])


class TD3:
    """One training: actor, critics, their slow copies, the replay and the environment."""

    # What a checkpoint keeps of it, beside the replay.
    KEPT: tuple[str, ...] = ("actor", "critics", "slow_actor", "slow_critics", "actor_optimiser", "critic_optimiser",
                             "rng", "generator", "step", "updates")

    def __init__(self, env_id: str, settings: Settings, seed: int, features: Features = same) -> None:
        self.settings, self.seed = settings, seed
        self.envs = TrainingEnvs(env_id, 1, features)
        observation, action = self.envs.observation, self.envs.action
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.actor = Actor(observation, action, settings.hidden, settings.last)
            self.critics = Critics(observation, action, settings.hidden)
        self.slow_actor, self.slow_critics = copy.deepcopy(self.actor), copy.deepcopy(self.critics)
        self.actor_optimiser = torch.optim.Adam(self.actor.parameters(), settings.actor_rate, fused=True)
        self.critic_optimiser = torch.optim.Adam(self.critics.parameters(), settings.critic_rate, fused=True)
        self.replay = Replay(settings.memory, (observation, self.envs.dtype), action)
        self.rng, self.generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        self.step, self.updates = 0, 0

    # One update

    @torch.no_grad()
    def target(self, batch: Batch) -> Tensor:
        """y = r + bootstrap * min over both critics of Q'(s', a' + clipped noise): (B,).

        Equation 10 and section 5.3 of the paper. `bootstrap` is the discount, 0 after a true end.
        """
        action = self.slow_actor(batch.after)
        noise = self.settings.smoothing * torch.randn(action.shape, generator=self.generator)
        action = (action + noise.clamp(-self.settings.clip, self.settings.clip)).clamp(-1, 1)
        smaller: Tensor = self.slow_critics(batch.after, action).min(dim=0).values
        return batch.reward + batch.bootstrap * smaller

    def update(self, batch: Batch) -> dict[str, float]:
        """One update of the critics, and of the rest when it is due; numbers to log."""
        said = self.critics(batch.before, batch.action)
        loss = (self.target(batch) - said).square().sum(dim=0).mean()
        gradient = descend(self.critic_optimiser, loss)
        numbers = {"critic_loss": loss.item(), "q": said.mean().item(), "critic_gradient": gradient}
        self.updates += 1
        if self.updates % self.settings.delay == 0:
            numbers |= self.update_actor(batch)
            follow(self.slow_actor, self.actor, self.settings.tau)
            follow(self.slow_critics, self.critics, self.settings.tau)
        return numbers

    def update_actor(self, batch: Batch) -> dict[str, float]:
        """Climb the first critic: the deterministic policy gradient (Silver et al. 2014, equation 9).

        The squares keep tanh where it has a slope (Andrychowicz et al. 2017, appendix A).
        """
        self.critics.requires_grad_(False)
        before_tanh = self.actor.body(batch.before)
        action = torch.tanh(before_tanh)
        climb = self.critics(batch.before, action)[0].mean()
        gradient = descend(self.actor_optimiser, self.settings.calm * before_tanh.square().mean() - climb)
        self.critics.requires_grad_(True)
        return {"saturated": (action.abs() > 0.99).float().mean().item(), "actor_gradient": gradient}

    # The loop

    def stretch(self, until: int) -> list[dict[str, float]]:
        """Act and learn up to the step `until`, in an environment that begins anew; the numbers of each update."""
        seen, logged = self.envs.reset(self.seed, self.step), []
        while self.step < until:
            action = self.explore(seen)
            now, reward, terminated, _, after = self.envs.step(action)
            self.step += 1
            # After a time limit, and at the end of the stretch, the value of what follows still counts.
            bootstrap = 0.0 if terminated[0] else self.settings.discount
            self.replay.add(Transition(seen[0], action[0], reward[0], after[0], bootstrap))
            seen = now
            if self.step >= self.settings.warm_up and len(self.replay) >= self.settings.batch:
                logged.append(self.update(self.replay.batch(self.settings.batch, self.rng)))
        return logged

    def explore(self, seen: Array) -> Array:
        """An action to learn from: a random one in the warm-up, then the policy's with Gaussian noise."""
        shape = (1, self.envs.action)
        if self.step < self.settings.warm_up:
            return self.rng.uniform(-1, 1, shape).astype(np.float32)
        noise: Array = self.settings.noise * self.rng.standard_normal(shape, np.float32)
        return (self.actor.act(seen) + noise).clip(-1, 1)


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> float:
    """One step down; the length of the gradient."""
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return torch.nn.utils.get_total_norm([weight.grad for weight in optimiser.param_groups[0]["params"]]).item()


@torch.no_grad()
def follow(slow: nn.Module, fast: nn.Module, tau: float) -> None:
    """slow <- (1 - tau) slow + tau fast."""
    for one, other in zip(slow.parameters(), fast.parameters(), strict=True):
        one.lerp_(other, tau)
