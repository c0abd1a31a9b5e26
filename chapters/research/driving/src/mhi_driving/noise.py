"""Exploration: Gaussian noise, noise with a memory, and noise in the actor's weights."""

from __future__ import annotations

import copy
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Floats = NDArray[np.float32]


class Noise(Protocol):
    """What is added to actions: (actors, action), and started anew for an actor whose episode began."""

    def __call__(self, rng: np.random.Generator) -> Floats:
        """Draw the noise of one step."""
        ...

    def restart(self, actor: int) -> None:
        """Forget what an actor's noise was."""
        ...


class Gaussian:
    """Independent noise; `scale` is its standard deviation, one for each actor."""

    def __init__(self, scale: Floats, action: int) -> None:
        self.scale, self.action = scale[:, None], action

    def __call__(self, rng: np.random.Generator) -> Floats:
        """Draw the noise of one step."""
        return (self.scale * rng.standard_normal((len(self.scale), self.action))).astype(np.float32)

    def restart(self, actor: int) -> None:
        """Independent noise has nothing to forget."""


class OrnsteinUhlenbeck:
    """Noise that swings: dx = theta (0 - x) dt + sigma dW (Uhlenbeck and Ornstein 1930), a step of dt each call.

    theta is the speed of return to 0 and sigma the amplitude. The step is the exact one, so the variance in the long
    run is sigma ** 2 / (2 theta) for every dt; Euler's step, which most codes take, gives that only as dt goes to 0.
    `scale` is the standard deviation in the long run, one for each actor, as in `Gaussian`.
    """

    def __init__(self, scale: Floats, action: int, theta: float = 0.15, dt: float = 1.0) -> None:
        self.scale, self.keep = scale[:, None], float(np.exp(-theta * dt))
        self.x = np.zeros((len(scale), action))

    def __call__(self, rng: np.random.Generator) -> Floats:
        """Draw the noise of one step."""
        fresh = self.scale * np.sqrt(1 - self.keep**2) * rng.standard_normal(self.x.shape)
        self.x = self.keep * self.x + fresh
        return self.x.astype(np.float32)

    def restart(self, actor: int) -> None:
        """Begin at the mean."""
        self.x[actor] = 0


class ParameterNoise:
    """A disturbed copy of the actor, consistent through an episode (Plappert et al. 2018, section 3).

    The scale adapts so that the disturbed actions lie about `target` from the others (root mean square, their
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
    def adapt(self, actor: nn.Module, seen: torch.Tensor) -> float:
        """Compare the actions on a batch of observations, set the scale, and give the distance."""
        distance = float((self.actor(seen) - actor(seen)).square().mean().sqrt())
        self.scale *= self.factor if distance < self.target else 1 / self.factor
        return distance
