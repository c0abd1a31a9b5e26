"""TD3, whole in this file: twin delayed deep deterministic policy gradients (Fujimoto, van Hoof and Meger 2018).

An actor climbs the value that a critic gives its actions. Three things keep the critic's errors small:

    two critics         the target takes the smaller of their values
    a delayed actor     one update of the actor, and of all slow copies, for every two of the critics
    smoothed targets    the target's action has clipped noise on it

Read from the top: settings, networks, one update, the loop, checkpoints. Elsewhere are the replay (`replay.py`),
the environment (`drive.py`) and the run around a training (`train.py`). Shapes: B is the batch. Actions lie in
[-1, 1].
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
    return replace(Settings(), **{**TASKS.get(env_id, {}), **changes})


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

    def __init__(self, env_id: str, settings: Settings, seed: int, features: Features = same) -> None:
        self.settings, self.seed, self.features = settings, seed, features
        self.envs = make_envs(env_id, 1)
        space = self.envs.single_observation_space
        example = features(np.zeros((1, *(space.shape or ())), space.dtype))
        action = int(np.prod(self.envs.single_action_space.shape or ()))
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.actor = Actor(example.shape[1:], action, settings.hidden, settings.last)
            self.critics = Critics(example.shape[1:], action, settings.hidden)
        self.slow_actor, self.slow_critics = copy.deepcopy(self.actor), copy.deepcopy(self.critics)
        self.actor_optimiser = torch.optim.Adam(self.actor.parameters(), settings.actor_rate, fused=True)
        self.critic_optimiser = torch.optim.Adam(self.critics.parameters(), settings.critic_rate, fused=True)
        self.replay = Replay(settings.memory, (example.shape[1:], example.dtype), action)
        self.rng, self.generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
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
        descend(self.critic_optimiser, loss)
        numbers = {"critic_loss": loss.item(), "q": said.mean().item(), "critic_gradient": slope(self.critics)}
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
        descend(self.actor_optimiser, self.settings.calm * before_tanh.square().mean() - climb)
        self.critics.requires_grad_(True)
        return {"saturated": (action.abs() > 0.99).float().mean().item(), "actor_gradient": slope(self.actor)}

    # The loop

    def stretch(self, until: int) -> dict[str, float]:
        """Act and learn up to the step `until`, in an environment that begins anew; the mean of what was logged.

        The seed of the environment follows from the step. So a run that continues from its checkpoint, which is
        written at the end of a stretch, does what it would have done without the stop, to the bit.
        """
        seen = self.features(self.envs.reset(seed=TRAINING * (1 + self.seed) + self.step)[0])
        steps, logged = NStep(1, self.settings.discount), dict[str, list[float]]()
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
            seen = now
            if self.step >= self.settings.warm_up and len(self.replay) >= self.settings.batch:
                for name, value in self.update(self.replay.batch(self.settings.batch, self.rng)).items():
                    logged.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in logged.items()}

    def explore(self, seen: Array) -> Array:
        """An action to learn from: a random one in the warm-up, then the policy's with Gaussian noise."""
        shape = (1, self.replay.action.shape[1])
        if self.step < self.settings.warm_up:
            return self.rng.uniform(-1, 1, shape).astype(np.float32)
        noise = self.settings.noise * self.rng.standard_normal(shape, np.float32)
        noisy: Array = (self.act(seen) + noise).clip(-1, 1)
        return noisy

    # Checkpoints

    def parts(self) -> dict[str, Any]:
        """Everything with a state of its own."""
        return {name: getattr(self, name) for name in ("actor", "critics", "slow_actor", "slow_critics",
                                                       "actor_optimiser", "critic_optimiser")}

    def save(self, folder: Path) -> None:
        """Write all that is needed to go on; torch and NumPy read it without running code."""
        state = {name: part.state_dict() for name, part in self.parts().items()}
        torch.save({**state, "step": self.step, "updates": self.updates, "best": self.best,
                    "rng": self.rng.bit_generator.state, "generator": self.generator.get_state()},
                   folder / "learner.pt")
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
            self.generator.set_state(state["generator"])


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
