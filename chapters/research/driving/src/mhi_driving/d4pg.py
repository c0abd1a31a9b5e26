"""D4PG, whole in this file: distributed distributional deterministic policy gradients (Barth-Maron et al. 2018).

An actor climbs the value that a critic gives its actions, as in DDPG. Four things are different:

    distributions      the critic gives the distribution of the return, on a fixed support of atoms
    n-step returns     the target sums n rewards before it asks the critic
    priorities         steps on which the critic was far off are drawn more often, and count less for it
    several actors     each acts in an environment of its own, with noise of its own size

Read from the top: settings, networks, the projection, one update, the loop. Elsewhere are the replay (`replay.py`),
the environment (`drive.py`) and the run around a training (`train.py`). Shapes: B is the batch, A the atoms. Actions
lie in [-1, 1].
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mhi_driving.drive import Features, TrainingEnvs, same
from mhi_driving.replay import Array, Batch, NStep, Replay, as_input


@dataclass(frozen=True)
class Settings:
    """What decides a training, and for how many steps it runs."""

    steps: int = 8_000  # of all actors together
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
    actors: int = 4
    processes: bool = False  # a process of its own for each actor
    noise: float = 0.2  # standard deviation of the first actor's exploration; the last one's is twice as large
    n_step: int = 3
    atoms: int = 51
    low: float = -200.0  # the support of the return
    high: float = 0.0
    alpha: float = 0.6  # how much priorities count
    beta: float = 0.4  # how much their distortion is taken back at first
    beta_steps: int = 8_000  # after so many steps it is taken back wholly


# What an environment needs, on top of these. From images the actor has to learn more slowly, or it saturates.
TASKS: dict[str, dict[str, Any]] = {
    "Pendulum-v1": {"low": -600.0, "high": 0.0},
    "mhi/Lane-v0": {"steps": 16_000, "beta_steps": 16_000, "low": 0.0, "high": 60.0},
    "mhi/LaneImage-v0": {"steps": 10_000, "beta_steps": 10_000, "low": 0.0, "high": 60.0, "actor_rate": 1e-4,
                         "batch": 64},
}


def settings_for(env_id: str, **changes: Any) -> Settings:
    """The settings for an environment, with what is changed by hand on top."""
    if "steps" in changes:
        changes = {"beta_steps": changes["steps"], **changes}
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


class Critic(nn.Module):
    """The return's distribution: (B, observation), (B, action) -> (B, A), logits."""

    def __init__(self, observation: tuple[int, ...], action: int, hidden: int, atoms: int) -> None:
        super().__init__()
        self.encoder, size = encoder(observation)
        self.body = nn.Sequential(nn.Linear(size + action, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                                  nn.Linear(hidden, atoms))

    def forward(self, seen: Tensor, action: Tensor) -> Tensor:
        """What the critic says of these actions."""
        said: Tensor = self.body(torch.cat([self.encoder(seen), action], dim=1))
        return said


def project(chances: Tensor, reward: Tensor, bootstrap: Tensor, support: Tensor) -> Tensor:
    """The distribution of r + bootstrap * Z, put back on the support: (B, A), (B,), (B,), (A,) -> (B, A).

    Each moved atom gives its chance to its two neighbours, the nearer the more. Bellemare et al. 2017, equation 7.
    """
    moved = (reward[:, None] + bootstrap[:, None] * support).clamp(support[0], support[-1])
    place = (moved - support[0]) / (support[1] - support[0])  # counted in atoms
    atoms = torch.arange(len(support), dtype=support.dtype)
    shares = (1 - (place[:, None, :] - atoms[:, None]).abs()).clamp(min=0)  # of each moved atom (last) to each atom
    return (shares @ chances[:, :, None])[:, :, 0]


class D4PG:
    """One training: actor, critic, their slow copies, the replay and the environments."""

    # What a checkpoint keeps of it, beside the replay.
    KEPT: tuple[str, ...] = ("actor", "critic", "slow_actor", "slow_critic", "actor_optimiser", "critic_optimiser",
                             "rng", "step")

    def __init__(self, env_id: str, settings: Settings, seed: int, features: Features = same) -> None:
        self.settings, self.seed = settings, seed
        self.envs = TrainingEnvs(env_id, settings.actors, features, settings.processes)
        observation, action = self.envs.observation, self.envs.action
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.actor = Actor(observation, action, settings.hidden, settings.last)
            self.critic = Critic(observation, action, settings.hidden, settings.atoms)
        self.slow_actor, self.slow_critic = copy.deepcopy(self.actor), copy.deepcopy(self.critic)
        self.actor_optimiser = torch.optim.Adam(self.actor.parameters(), settings.actor_rate, fused=True)
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), settings.critic_rate, fused=True)
        self.support = torch.linspace(settings.low, settings.high, settings.atoms)
        self.replay = Replay(settings.memory, (observation, self.envs.dtype), action, settings.alpha)
        self.rng, self.shape = np.random.default_rng(seed), (settings.actors, action)
        # Each further actor explores more than the one before it (Horgan et al. 2018, section 4.1).
        self.noise = np.linspace(1, 2, settings.actors, dtype=np.float32)[:, None] * settings.noise
        self.step = 0

    # One update

    def values(self, said: Tensor) -> Tensor:
        """Expected returns from the critic's logits: (B, A) -> (B,)."""
        return (said.softmax(dim=1) * self.support).sum(dim=1)

    @torch.no_grad()
    def target(self, batch: Batch) -> Tensor:
        """The distribution of the n rewards and what the slow critic says of the slow actor after them: (B, A).

        `bootstrap` is the discount to the power n, or of fewer steps where an episode was cut, 0 after a true end.
        """
        said = self.slow_critic(batch.after, self.slow_actor(batch.after))
        return project(said.softmax(dim=1), batch.reward, batch.bootstrap, self.support)

    def update(self, batch: Batch) -> tuple[dict[str, float], Array]:
        """One update of the critic, the actor and their slow copies (algorithm 1 of the paper).

        Gives numbers to log, and the surprise of each transition for its priority: the Kullback-Leibler divergence of
        what the critic said from the target, (B,), 0 where both are one.
        """
        target, said = self.target(batch), self.critic(batch.before, batch.action)
        losses = -(target * functional.log_softmax(said, dim=1)).sum(dim=1)
        surprise = losses.detach() + torch.xlogy(target, target).sum(dim=1)
        gradient = descend(self.critic_optimiser, (batch.weight * losses).mean())
        numbers = {"critic_loss": losses.mean().item(), "q": self.values(said.detach()).mean().item(),
                   "critic_gradient": gradient}
        numbers |= self.update_actor(batch)
        follow(self.slow_actor, self.actor, self.settings.tau)
        follow(self.slow_critic, self.critic, self.settings.tau)
        return numbers, surprise.numpy()

    def update_actor(self, batch: Batch) -> dict[str, float]:
        """Climb the critic's mean: the deterministic policy gradient (Silver et al. 2014, equation 9).

        The squares keep tanh where it has a slope (Andrychowicz et al. 2017, appendix A).
        """
        self.critic.requires_grad_(False)
        before_tanh = self.actor.body(batch.before)
        action = torch.tanh(before_tanh)
        climb = self.values(self.critic(batch.before, action)).mean()
        gradient = descend(self.actor_optimiser, self.settings.calm * before_tanh.square().mean() - climb)
        self.critic.requires_grad_(True)
        return {"saturated": (action.abs() > 0.99).float().mean().item(), "actor_gradient": gradient}

    def learn(self) -> dict[str, float]:
        """One update from the replay, and new priorities for what was drawn."""
        done = min(1.0, self.step / self.settings.beta_steps)
        beta = self.settings.beta + (1 - self.settings.beta) * done
        batch = self.replay.batch(self.settings.batch, self.rng, beta)
        numbers, surprise = self.update(batch)
        self.replay.mark(batch.drawn, surprise)
        return numbers

    # The loop

    def stretch(self, until: int) -> list[dict[str, float]]:
        """Act and learn up to the step `until`, in environments that begin anew; the numbers of each update."""
        actors, seen, logged = self.settings.actors, self.envs.reset(self.seed, self.step), []
        steps = [NStep(self.settings.n_step, self.settings.discount) for _ in range(actors)]
        while self.step < until:
            action = self.explore(seen)
            now, reward, terminated, truncated, after = self.envs.step(action)
            self.step = min(self.step + actors, until)
            # A time limit, and the end of the stretch, cut an episode: the value of what follows still counts.
            cut = truncated | (self.step >= until)
            for waiting, *step in zip(steps, seen, action, reward, after, terminated, cut, strict=True):
                for transition in waiting.add(*step):
                    self.replay.add(transition)
            seen = now
            if self.step >= self.settings.warm_up and len(self.replay) >= self.settings.batch:
                logged += [self.learn() for _ in range(actors)]
        return logged

    def explore(self, seen: Array) -> Array:
        """Actions to learn from: random ones in the warm-up, then the policy's with Gaussian noise."""
        if self.step < self.settings.warm_up:
            return self.rng.uniform(-1, 1, self.shape).astype(np.float32)
        noise: Array = self.noise * self.rng.standard_normal(self.shape, np.float32)
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
