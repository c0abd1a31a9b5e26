"""DDPG, whole in this file: deep deterministic policy gradients (Lillicrap et al. 2016).

An actor climbs the value that a critic gives its actions (Silver et al. 2014). Two things keep that stable: a replay
of old steps, and slow copies of both networks that make the targets. It explores by noise with a memory on its
actions, or, with `noise="parameter"`, by adaptive noise in its weights (Plappert et al. 2018).

Read from the top: settings, noise, networks, one update, the loop. Elsewhere are the replay (`replay.py`), the
environment (`drive.py`) and the run around a training (`train.py`). Shapes: B is the batch. Actions lie in [-1, 1].
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
    noise: str = "ou"  # a key of IN_WEIGHTS
    scale: float = 0.2  # how far the noise moves actions, as a share of half their range (root mean square)
    theta: float = 0.15  # how fast ou noise returns to 0
    adapt: int = 50  # updates between two adaptations of the noise in the weights


# The kinds of noise, and whether it is in the weights of the actor.
IN_WEIGHTS = {"ou": False, "parameter": True}
# What an environment needs, on top of these. From images the actor has to learn more slowly, or it saturates.
TASKS: dict[str, dict[str, Any]] = {
    "mhi/Lane-v0": {"steps": 16_000},
    "mhi/LaneImage-v0": {"steps": 10_000, "actor_rate": 1e-4, "batch": 64},
}


def settings_for(env_id: str, **changes: Any) -> Settings:
    """The settings for an environment, with what is changed by hand on top."""
    return Settings(**{**TASKS.get(env_id, {}), **changes})


class OrnsteinUhlenbeck:
    """Noise that swings: dx = theta (0 - x) dt + sigma dW (Uhlenbeck and Ornstein 1930), a step of dt each call.

    theta is the speed of return to 0 and sigma the amplitude. The step is the exact one, so the variance in the long
    run is sigma ** 2 / (2 theta) for every dt; Euler's step, which most codes take, gives that only as dt goes to 0.
    `scale` is the standard deviation in the long run.
    """

    def __init__(self, scale: float, shape: tuple[int, ...], theta: float = 0.15, dt: float = 1.0) -> None:
        self.scale, self.keep, self.x = scale, float(np.exp(-theta * dt)), np.zeros(shape)

    def __call__(self, rng: np.random.Generator) -> Array:
        """Draw the noise of one step."""
        self.x = self.keep * self.x + self.scale * np.sqrt(1 - self.keep**2) * rng.standard_normal(self.x.shape)
        return self.x.astype(np.float32)


class ParameterNoise:
    """A disturbed copy of the actor, consistent through an episode (Plappert et al. 2018, section 3).

    The scale adapts so that the disturbed actions are about `target` from the others (root mean square, their
    appendix C): it grows by `factor` while they are nearer and shrinks while they are farther. The norm layers,
    which make one scale fit all layers, are not disturbed.
    """

    def __init__(self, actor: Actor, target: float, factor: float = 1.01) -> None:
        self.actor = copy.deepcopy(actor)
        self.target, self.factor, self.scale = target, factor, target

    @torch.no_grad()
    def disturb(self, actor: Actor, rng: np.random.Generator) -> None:
        """Draw a new copy of `actor`."""
        self.actor.load_state_dict(actor.state_dict())
        for part in self.actor.modules():
            if not isinstance(part, nn.LayerNorm):
                for weight in part.parameters(recurse=False):
                    noise = rng.standard_normal(tuple(weight.shape), np.float32)
                    weight.add_(torch.from_numpy(noise), alpha=self.scale)

    @torch.no_grad()
    def adapt(self, actor: Actor, seen: Tensor) -> float:
        """Compare the actions on a batch of observations, set the scale, and give the distance."""
        distance = float((self.actor(seen) - actor(seen)).square().mean().sqrt())
        self.scale *= self.factor if distance < self.target else 1 / self.factor
        return distance


def encoder(observation: tuple[int, ...]) -> tuple[nn.Module, int]:
    """What turns observations into vectors, and their size: convolutions where they are images."""
    images = len(observation) == 3
    layers = [nn.Conv2d(observation[0], 8, 4, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU()] if images else []
    body = nn.Sequential(*layers, nn.Flatten())
    return body, body(torch.zeros(1, *observation)).shape[1]


class Actor(nn.Module):
    """The policy: (B, observation) -> (B, action), in [-1, 1]. With norms, one parameter noise fits all layers.

    A small last layer keeps the first actions near 0, where tanh has a slope (the paper's section 7).
    """

    def __init__(self, observation: tuple[int, ...], action: int, hidden: int, last: float, norm: bool) -> None:
        super().__init__()
        seen, size = encoder(observation)
        norms = [nn.LayerNorm(hidden) if norm else nn.Identity() for _ in range(2)]
        out = nn.Linear(hidden, action)
        nn.init.uniform_(out.weight, -last, last)
        nn.init.uniform_(out.bias, -last, last)
        self.body = nn.Sequential(seen, nn.Linear(size, hidden), norms[0], nn.ReLU(), nn.Linear(hidden, hidden),
                                  norms[1], nn.ReLU(), out)

    def forward(self, seen: Tensor) -> Tensor:
        """The actions."""
        return torch.tanh(self.body(seen))

    @torch.no_grad()
    def act(self, seen: Array) -> Array:
        """The actions in arrays, without noise: (cars, observation) -> (cars, action)."""
        return np.asarray(self(as_input(seen)))


class Critic(nn.Module):
    """Q(s, a): (B, observation), (B, action) -> (B,)."""

    def __init__(self, observation: tuple[int, ...], action: int, hidden: int) -> None:
        super().__init__()
        self.encoder, size = encoder(observation)
        self.body = nn.Sequential(nn.Linear(size + action, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                                  nn.Linear(hidden, 1))

    def forward(self, seen: Tensor, action: Tensor) -> Tensor:
        """What the critic says of these actions."""
        said: Tensor = self.body(torch.cat([self.encoder(seen), action], dim=1))[:, 0]
        return said


class DDPG:
    """One training: actor, critic, their slow copies, the noise, the replay and the environment."""

    # What a checkpoint keeps of it, beside the replay.
    KEPT: tuple[str, ...] = ("actor", "critic", "slow_actor", "slow_critic", "actor_optimiser", "critic_optimiser",
                             "rng", "step", "updates", "disturbed.scale")

    def __init__(self, env_id: str, settings: Settings, seed: int, features: Features = same) -> None:
        self.settings, self.seed = settings, seed
        self.in_weights = IN_WEIGHTS[settings.noise]
        self.envs = TrainingEnvs(env_id, 1, features)
        observation, action = self.envs.observation, self.envs.action
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.actor = Actor(observation, action, settings.hidden, settings.last, norm=self.in_weights)
            self.critic = Critic(observation, action, settings.hidden)
        self.slow_actor, self.slow_critic = copy.deepcopy(self.actor), copy.deepcopy(self.critic)
        self.actor_optimiser = torch.optim.Adam(self.actor.parameters(), settings.actor_rate, fused=True)
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), settings.critic_rate, fused=True)
        self.replay = Replay(settings.memory, (observation, self.envs.dtype), action)
        self.rng = np.random.default_rng(seed)
        self.swing = OrnsteinUhlenbeck(settings.scale, (1, action), settings.theta)
        self.disturbed = ParameterNoise(self.actor, settings.scale)
        self.step, self.updates = 0, 0

    # One update

    @torch.no_grad()
    def target(self, batch: Batch) -> Tensor:
        """y = r + bootstrap * Q'(s', mu'(s')): (B,). `bootstrap` is the discount, 0 after a true end."""
        judged: Tensor = self.slow_critic(batch.after, self.slow_actor(batch.after))
        return batch.reward + batch.bootstrap * judged

    def update(self, batch: Batch) -> dict[str, float]:
        """One update of the critic, the actor and their slow copies (algorithm 1 of the paper); numbers to log."""
        said = self.critic(batch.before, batch.action)
        loss = (self.target(batch) - said).square().mean()
        gradient = descend(self.critic_optimiser, loss)
        numbers = {"critic_loss": loss.item(), "q": said.mean().item(), "critic_gradient": gradient}
        numbers |= self.update_actor(batch)
        follow(self.slow_actor, self.actor, self.settings.tau)
        follow(self.slow_critic, self.critic, self.settings.tau)
        self.updates += 1
        if self.in_weights and self.updates % self.settings.adapt == 0:
            numbers["noise_distance"] = self.disturbed.adapt(self.actor, batch.before)
        return numbers

    def update_actor(self, batch: Batch) -> dict[str, float]:
        """Climb the critic: the deterministic policy gradient (Silver et al. 2014, equation 9).

        The squares keep tanh where it has a slope (Andrychowicz et al. 2017, appendix A).
        """
        self.critic.requires_grad_(False)
        before_tanh = self.actor.body(batch.before)
        action = torch.tanh(before_tanh)
        climb = self.critic(batch.before, action).mean()
        gradient = descend(self.actor_optimiser, self.settings.calm * before_tanh.square().mean() - climb)
        self.critic.requires_grad_(True)
        return {"saturated": (action.abs() > 0.99).float().mean().item(), "actor_gradient": gradient}

    # The loop

    def stretch(self, until: int) -> list[dict[str, float]]:
        """Act and learn up to the step `until`, in an environment that begins anew; the numbers of each update."""
        seen, logged = self.envs.reset(self.seed, self.step), []
        self.begin_episode()
        while self.step < until:
            action = self.explore(seen)
            now, reward, terminated, truncated, after = self.envs.step(action)
            self.step += 1
            # After a time limit, and at the end of the stretch, the value of what follows still counts.
            bootstrap = 0.0 if terminated[0] else self.settings.discount
            self.replay.add(Transition(seen[0], action[0], reward[0], after[0], bootstrap))
            if terminated[0] or truncated[0]:
                self.begin_episode()
            seen = now
            if self.step >= self.settings.warm_up and len(self.replay) >= self.settings.batch:
                logged.append(self.update(self.replay.batch(self.settings.batch, self.rng)))
        return logged

    def begin_episode(self) -> None:
        """Start the noise anew."""
        self.swing.x[:] = 0
        if self.in_weights:
            self.disturbed.disturb(self.actor, self.rng)

    def explore(self, seen: Array) -> Array:
        """An action to learn from: a random one in the warm-up, then the policy's with noise."""
        if self.step < self.settings.warm_up:
            return self.rng.uniform(-1, 1, self.swing.x.shape).astype(np.float32)
        if self.in_weights:
            return self.disturbed.actor.act(seen)
        return (self.actor.act(seen) + self.swing(self.rng)).clip(-1, 1)


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
