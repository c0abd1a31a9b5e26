"""DDPG, whole in this file: deep deterministic policy gradients (Lillicrap et al. 2016).

An actor climbs the value that a critic gives its actions (Silver et al. 2014). Two things keep that stable: a replay
of old steps, and slow copies of both networks that make the targets. It explores by noise with a memory on its
actions, or, with `noise="parameter"`, by adaptive noise in its weights (Plappert et al. 2018).

Read from the top: settings, noise, networks, one update, the loop, checkpoints. Elsewhere are the replay
(`replay.py`), the environment (`drive.py`) and the run around a training (`train.py`). Shapes: B is the batch.
Actions lie in [-1, 1].
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from labhandbook.runs import Checkpoint
from mhi_driving.drive import TRAINING, Features, Policy, make_envs, same
from mhi_driving.replay import Array, Batch, NStep, Replay, as_input


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
    noise: str = "ou"  # ou or parameter
    scale: float = 0.2  # how far the noise moves actions, as a share of half their range (root mean square)
    theta: float = 0.15  # how fast ou noise returns to 0
    adapt: int = 50  # updates between two adaptations of the noise in the weights


# What an environment needs, on top of these. From images the actor has to learn more slowly, or it saturates.
TASKS: dict[str, dict[str, Any]] = {
    "mhi/Lane-v0": {"steps": 16_000},
    "mhi/LaneImage-v0": {"steps": 10_000, "actor_rate": 1e-4, "batch": 64},
}


def settings_for(env_id: str, **changes: Any) -> Settings:
    """The settings for an environment, with what is changed by hand on top."""
    return replace(Settings(), **{**TASKS.get(env_id, {}), **changes})


# Noise


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

    def __init__(self, actor: nn.Module, target: float, factor: float = 1.01) -> None:
        self.actor = copy.deepcopy(actor)
        self.target, self.factor, self.scale = target, factor, target

    @torch.no_grad()
    def disturb(self, actor: nn.Module, rng: np.random.Generator) -> None:
        """Draw a new copy of `actor`."""
        norms = {id(weight) for part in actor.modules() if isinstance(part, nn.LayerNorm)
                 for weight in part.parameters()}
        for copied, weight in zip(self.actor.parameters(), actor.parameters(), strict=True):
            copied.copy_(weight)
            if id(weight) not in norms:
                copied.add_(torch.from_numpy(rng.standard_normal(tuple(weight.shape), np.float32)), alpha=self.scale)

    @torch.no_grad()
    def adapt(self, actor: nn.Module, seen: Tensor) -> float:
        """Compare the actions on a batch of observations, set the scale, and give the distance."""
        distance = float((self.actor(seen) - actor(seen)).square().mean().sqrt())
        self.scale *= self.factor if distance < self.target else 1 / self.factor
        return distance


# Networks


def encoder(observation: tuple[int, ...]) -> tuple[nn.Module, int]:
    """What turns observations into vectors, and their size: nothing for states, convolutions for images."""
    if len(observation) == 1:
        return nn.Identity(), observation[0]
    layers = nn.Sequential(nn.Conv2d(observation[0], 8, 4, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU(),
                           nn.Flatten())
    with torch.no_grad():
        return layers, layers(torch.zeros(1, *observation)).shape[1]


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

    def __init__(self, env_id: str, settings: Settings, seed: int, features: Features = same) -> None:
        self.settings, self.seed, self.features = settings, seed, features
        self.envs = make_envs(env_id, 1)
        space = self.envs.single_observation_space
        example = features(np.zeros((1, *(space.shape or ())), space.dtype))
        action = int(np.prod(self.envs.single_action_space.shape or ()))
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            norm = settings.noise == "parameter"
            self.actor = Actor(example.shape[1:], action, settings.hidden, settings.last, norm)
            self.critic = Critic(example.shape[1:], action, settings.hidden)
        self.slow_actor, self.slow_critic = copy.deepcopy(self.actor), copy.deepcopy(self.critic)
        self.actor_optimiser = torch.optim.Adam(self.actor.parameters(), settings.actor_rate, fused=True)
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), settings.critic_rate, fused=True)
        self.replay = Replay(settings.memory, (example.shape[1:], example.dtype), action)
        self.rng, self.shape = np.random.default_rng(seed), (1, action)
        self.swing = OrnsteinUhlenbeck(settings.scale, self.shape, settings.theta)
        self.disturbed = ParameterNoise(self.actor, settings.scale) if settings.noise == "parameter" else None
        self.step, self.updates, self.best = 0, 0, -np.inf

    @torch.no_grad()
    def act(self, seen: Array) -> Array:
        """The policy's actions, without noise: (cars, observation) -> (cars, action)."""
        actions: Array = self.actor(as_input(seen)).numpy()
        return actions

    def policy(self) -> Policy:
        """The actor as it is now, for an evaluation."""
        return lambda seen: self.act(self.features(seen))

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
        descend(self.critic_optimiser, loss)
        numbers = {"critic_loss": loss.item(), "q": said.mean().item(), "critic_gradient": slope(self.critic)}
        numbers |= self.update_actor(batch)
        follow(self.slow_actor, self.actor, self.settings.tau)
        follow(self.slow_critic, self.critic, self.settings.tau)
        self.updates += 1
        if self.disturbed and self.updates % self.settings.adapt == 0:
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
        descend(self.actor_optimiser, self.settings.calm * before_tanh.square().mean() - climb)
        self.critic.requires_grad_(True)
        return {"saturated": (action.abs() > 0.99).float().mean().item(), "actor_gradient": slope(self.actor)}

    # The loop

    def stretch(self, until: int) -> dict[str, float]:
        """Act and learn up to the step `until`, in an environment that begins anew; the mean of what was logged.

        The seed of the environment follows from the step. So a run that continues from its checkpoint, which is
        written at the end of a stretch, does what it would have done without the stop, to the bit.
        """
        seen = self.features(self.envs.reset(seed=TRAINING * (1 + self.seed) + self.step)[0])
        steps, logged = NStep(1, self.settings.discount), dict[str, list[float]]()
        self.begin_episode()
        while self.step < until:
            action = self.explore(seen)
            now, reward, terminated, truncated, info = self.envs.step(action)
            self.step += 1
            over = terminated[0] or truncated[0]
            now = self.features(now)
            after = self.features(info["final_obs"][0][None]) if over else now
            # A time limit, and the end of the stretch, cut an episode: the value of what follows still counts.
            cut = bool(truncated[0]) or self.step >= until
            for transition in steps.add(seen[0], action[0], float(reward[0]), after[0], bool(terminated[0]), cut):
                self.replay.add(transition)
            if over:
                self.begin_episode()
            seen = now
            if self.step >= self.settings.warm_up and len(self.replay) >= self.settings.batch:
                for name, value in self.update(self.replay.batch(self.settings.batch, self.rng)).items():
                    logged.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in logged.items()}

    def begin_episode(self) -> None:
        """Start the noise anew."""
        self.swing.x[:] = 0
        if self.disturbed:
            self.disturbed.disturb(self.actor, self.rng)

    def explore(self, seen: Array) -> Array:
        """An action to learn from: a random one in the warm-up, then the policy's with noise."""
        if self.step < self.settings.warm_up:
            return self.rng.uniform(-1, 1, self.shape).astype(np.float32)
        if self.disturbed is None:
            return (self.act(seen) + self.swing(self.rng)).clip(-1, 1)
        with torch.no_grad():
            actions: Array = self.disturbed.actor(as_input(seen)).numpy()
        return actions

    # Checkpoints

    def parts(self) -> dict[str, Any]:
        """Everything with a state of its own."""
        return {name: getattr(self, name) for name in ("actor", "critic", "slow_actor", "slow_critic",
                                                       "actor_optimiser", "critic_optimiser")}

    def save(self, folder: Path) -> None:
        """Write all that is needed to go on; torch and NumPy read it without running code."""
        state = {name: part.state_dict() for name, part in self.parts().items()}
        numbers = {"step": self.step, "updates": self.updates, "best": self.best,
                   "noise": self.disturbed.scale if self.disturbed else None}
        torch.save({**state, **numbers, "rng": self.rng.bit_generator.state}, folder / "learner.pt")
        self.replay.save(folder / "replay.npz")

    def load(self, checkpoint: Checkpoint, *, policy_only: bool = False) -> None:
        """Go on from what `save` wrote, or take only the policy."""
        state = torch.load(checkpoint.folder / "learner.pt", weights_only=True)
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        if not policy_only:
            self.replay.load(checkpoint.folder / "replay.npz")
            self.step, self.updates, self.best = state["step"], state["updates"], state["best"]
            self.rng.bit_generator.state = state["rng"]
            if self.disturbed:
                self.disturbed.scale = state["noise"]


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down."""
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def slope(network: nn.Module) -> float:
    """The length of the gradient of the last step."""
    return torch.nn.utils.get_total_norm([weight.grad for weight in network.parameters()
                                          if weight.grad is not None]).item()


def follow(slow: nn.Module, fast: nn.Module, tau: float) -> None:
    """slow <- (1 - tau) slow + tau fast."""
    with torch.no_grad():
        for one, other in zip(slow.parameters(), fast.parameters(), strict=True):
            one.lerp_(other, tau)
