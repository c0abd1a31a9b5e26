"""DDPG, TD3 and D4PG: one learner, three presets.

All three follow the deterministic policy gradient (Silver et al. 2014): a critic learns Q(s, a), and the actor climbs
it. They differ in what keeps the critic honest, and each difference is one setting here:

    DDPG  Lillicrap et al. 2016       replay, slow target networks, noise with a memory
    TD3   Fujimoto et al. 2018        the smaller of two critics, an actor that waits, smoothed target actions
    D4PG  Barth-Maron et al. 2018     a critic of return distributions, n-step returns, priorities, several actors

Shapes: B is the batch, C the critics, A the atoms (1 for a critic that gives a number). Actions lie in [-1, 1].
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Settings:
    """What decides a training. The defaults are DDPG's."""

    steps: int = 8_000  # steps of all actors together
    warm_up: int = 500  # of these, the first ones with random actions
    interval: int = 1_000  # steps between two evaluations, each with a checkpoint
    batch: int = 128
    hidden: int = 128  # width of the two hidden layers
    actor_rate: float = 1e-3
    critic_rate: float = 1e-3
    discount: float = 0.98
    tau: float = 0.01  # how far the target networks move in each update
    memory: int = 100_000  # transitions in the replay
    actors: int = 1
    processes: bool = False  # an own process for each actor
    noise: str = "ou"  # ou, gaussian or parameter
    scale: float = 0.2  # standard deviation of the noise, as a share of half the range of actions
    critics: int = 1
    delay: int = 1  # updates of the critic for each of the actor
    smoothing: float = 0.0  # standard deviation of the noise on target actions
    smoothing_clip: float = 0.5
    n_step: int = 1
    atoms: int = 1
    low: float = -200.0  # the support of the return distribution
    high: float = 0.0
    alpha: float = 0.0  # how much priorities count; 0: not at all
    beta: float = 0.4  # how much their distortion is taken back, rising to 1


# part: presets
PRESETS = {
    "ddpg": Settings(),
    "td3": Settings(critics=2, delay=2, smoothing=0.2, noise="gaussian"),
    "d4pg": Settings(atoms=51, n_step=3, alpha=0.6, actors=4, noise="gaussian"),
    "ddpg-parameter": Settings(noise="parameter"),
}
# end: presets
# What an environment needs, on top of a preset.
TASKS: dict[str, dict[str, Any]] = {
    "Pendulum-v1": {"low": -600.0, "high": 0.0},
    "mhi/Lane-v0": {"steps": 16_000, "low": 0.0, "high": 60.0},
    "mhi/LaneImage-v0": {"steps": 30_000, "low": 0.0, "high": 60.0},
}


def settings_for(preset: str, env_id: str, **changes: Any) -> Settings:
    """The settings of a preset on an environment, with what is changed by hand on top."""
    return replace(PRESETS[preset], **{**TASKS.get(env_id, {}), **changes})


# Networks


def encoder(observation: tuple[int, ...]) -> tuple[nn.Module, int]:
    """What turns observations into vectors, and their size: nothing for states, convolutions for images."""
    if len(observation) == 1:
        return nn.Identity(), observation[0]
    layers = nn.Sequential(nn.Conv2d(observation[0], 16, 4, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU(),
                           nn.Flatten())
    with torch.no_grad():
        return layers, layers(torch.zeros(1, *observation)).shape[1]


class Actor(nn.Module):
    """The policy: (B, observation) -> (B, action), in [-1, 1]. With norms, one parameter noise fits all layers."""

    def __init__(self, observation: tuple[int, ...], action: int, hidden: int, norm: bool) -> None:
        super().__init__()
        self.encoder, size = encoder(observation)
        norms = [nn.LayerNorm(hidden) if norm else nn.Identity() for _ in range(2)]
        self.body = nn.Sequential(nn.Linear(size, hidden), norms[0], nn.ReLU(), nn.Linear(hidden, hidden), norms[1],
                                  nn.ReLU(), nn.Linear(hidden, action), nn.Tanh())

    def forward(self, seen: Tensor) -> Tensor:
        """The actions."""
        actions: Tensor = self.body(self.encoder(seen))
        return actions


class Heads(nn.Module):
    """Some linear layers side by side: (C, B, inputs) -> (C, B, outputs), in one product."""

    def __init__(self, heads: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(heads, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(heads, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Each layer on its own input."""
        return torch.baddbmm(self.bias, x, self.weight)


class Critic(nn.Module):
    """C critics: (B, observation), (B, action) -> (C, B, A), values or the logits of return distributions."""

    def __init__(self, observation: tuple[int, ...], action: int, hidden: int, critics: int, atoms: int) -> None:
        super().__init__()
        self.encoder, size = encoder(observation)
        self.critics = critics
        self.body = nn.Sequential(Heads(critics, size + action, hidden), nn.ReLU(), Heads(critics, hidden, hidden),
                                  nn.ReLU(), Heads(critics, hidden, atoms))

    def forward(self, seen: Tensor, action: Tensor) -> Tensor:
        """What each critic says of these actions."""
        both = torch.cat([self.encoder(seen), action], dim=1)
        said: Tensor = self.body(both.expand(self.critics, *both.shape))
        return said


# Targets


def td_target(reward: Tensor, bootstrap: Tensor, values: Tensor) -> Tensor:
    """y = r + bootstrap * min over critics of Q'(s', a'): (B,), (B,), (C, B) -> (B,).

    `bootstrap` is discount ** n, 0 after a true end. Lillicrap et al. 2016, equation 5; the minimum is equation 10 of
    Fujimoto et al. 2018.
    """
    return reward + bootstrap * values.min(dim=0).values


def project(chances: Tensor, reward: Tensor, bootstrap: Tensor, support: Tensor) -> Tensor:
    """The distribution of r + bootstrap * Z, put back on the support: (B, A), (B,), (B,), (A,) -> (B, A).

    Each moved atom gives its chance to its two neighbours, the nearer the more. Bellemare et al. 2017, equation 7.
    """
    moved = (reward[:, None] + bootstrap[:, None] * support).clamp(support[0], support[-1])
    place = (moved - support[0]) / (support[1] - support[0])  # counted in atoms
    atoms = torch.arange(len(support), dtype=support.dtype)
    shares = (1 - (place[:, None, :] - atoms[:, None]).abs()).clamp(min=0)  # of each moved atom (last) to each atom
    return (shares @ chances[:, :, None])[:, :, 0]


def soft_update(target: nn.Module, source: nn.Module, tau: float) -> None:
    """target <- (1 - tau) target + tau source (Lillicrap et al. 2016, algorithm 1)."""
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), source.parameters(), strict=True):
            slow.lerp_(fast, tau)


@dataclass(frozen=True)
class Batch:
    """Transitions as the learner takes them: (B, ...) each; `weight` is what each counts in the critic's loss."""

    before: Tensor
    action: Tensor
    reward: Tensor
    after: Tensor
    bootstrap: Tensor
    weight: Tensor


class Learner:
    """Actor, critics, their slow copies and their optimisers."""

    def __init__(self, settings: Settings, observation: tuple[int, ...], action: int, seed: int) -> None:
        self.settings, self.updates = settings, 0
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.actor = Actor(observation, action, settings.hidden, settings.noise == "parameter")
            self.critic = Critic(observation, action, settings.hidden, settings.critics, settings.atoms)
        self.actor_target, self.critic_target = copy.deepcopy(self.actor), copy.deepcopy(self.critic)
        self.actor_optimiser = torch.optim.Adam(self.actor.parameters(), settings.actor_rate, fused=True)
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), settings.critic_rate, fused=True)
        self.support = torch.linspace(settings.low, settings.high, settings.atoms)
        self.generator = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def act(self, seen: NDArray[Any]) -> NDArray[np.float32]:
        """The policy's actions, without noise: (actors, observation) -> (actors, action)."""
        actions: NDArray[np.float32] = self.actor(as_input(seen)).numpy()
        return actions

    def values(self, said: Tensor) -> Tensor:
        """Expected returns from what the critics say: (C, B, A) -> (C, B)."""
        return (said.softmax(dim=2) * self.support).sum(dim=2) if self.settings.atoms > 1 else said[:, :, 0]

    @torch.no_grad()
    def target(self, batch: Batch) -> Tensor:
        """What the critics should say of a batch: values (B,), or distributions (B, A)."""
        action = self.actor_target(batch.after)
        if self.settings.smoothing > 0:  # Fujimoto et al. 2018, section 5.3
            noise = self.settings.smoothing * torch.randn(action.shape, generator=self.generator)
            limit = self.settings.smoothing_clip
            action = (action + noise.clamp(-limit, limit)).clamp(-1, 1)
        said = self.critic_target(batch.after, action)
        values = self.values(said)
        if self.settings.atoms == 1:
            return td_target(batch.reward, batch.bootstrap, values)
        smaller = said[values.argmin(dim=0), torch.arange(said.shape[1])]
        return project(smaller.softmax(dim=1), batch.reward, batch.bootstrap, self.support)

    def update(self, batch: Batch) -> tuple[dict[str, float], NDArray[np.float32]]:
        """One update of the critics, and of the rest when it is due. Gives numbers to log, and an error for each
        transition (B,), for its priority: |TD error|, or the Kullback-Leibler divergence from the target."""
        target = self.target(batch)
        said = self.critic(batch.before, batch.action)
        if self.settings.atoms == 1:
            errors = target - said[:, :, 0]
            losses, surprise = errors.square().sum(dim=0), errors.abs().mean(dim=0)
        else:
            losses = -(target * functional.log_softmax(said, dim=2)).sum(dim=2).sum(dim=0)
            surprise = losses / self.settings.critics + torch.xlogy(target, target).sum(dim=1)
        step(self.critic_optimiser, (batch.weight * losses).mean())
        self.updates += 1
        if self.updates % self.settings.delay == 0:
            self._update_actor(batch)
            soft_update(self.actor_target, self.actor, self.settings.tau)
            soft_update(self.critic_target, self.critic, self.settings.tau)
        with torch.no_grad():
            numbers = {"critic_loss": float(losses.mean()), "q": float(self.values(said).mean())}
        return numbers, surprise.detach().numpy()

    def _update_actor(self, batch: Batch) -> None:
        """Climb the first critic: the deterministic policy gradient (Silver et al. 2014, equation 9)."""
        self.critic.requires_grad_(False)
        climb = self.values(self.critic(batch.before, self.actor(batch.before)))[0]
        step(self.actor_optimiser, -climb.mean())
        self.critic.requires_grad_(True)

    def parts(self) -> dict[str, Any]:
        """Everything with a state of its own."""
        return {name: getattr(self, name) for name in ("actor", "critic", "actor_target", "critic_target",
                                                       "actor_optimiser", "critic_optimiser")}

    def save(self, path: Path) -> None:
        """Write the whole state; torch reads it without running code."""
        state = {name: part.state_dict() for name, part in self.parts().items()}
        torch.save({**state, "updates": self.updates, "generator": self.generator.get_state()}, path)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        state = torch.load(path, weights_only=True)
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.updates = state["updates"]
        self.generator.set_state(state["generator"])


def step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down."""
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def as_input(seen: NDArray[Any]) -> Tensor:
    """Observations as a network takes them: bytes become numbers from 0 to 1."""
    tensor = torch.from_numpy(np.ascontiguousarray(seen))
    return tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor.float()
