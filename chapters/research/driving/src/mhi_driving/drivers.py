"""Drivers that were written by hand, the table of actions, and the mixture of drivers whose drives are logged.

Nothing here knows of files or of an environment: a driver turns states (cars, 10) into wishes (cars, 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mhi_driving.lane import BEND, FAST, GRIP, LOCK, SLOW, WHEELBASE, Floats

# The actions that a policy learnt from a log chooses from: steering and speed. Of the 21, no driver in the log ever
# takes those 11 with the highest speed or full steering. A value that no update asks for stays where it began, near
# zero, so these aren't what misleads a learner: common actions are, in states in which nobody takes them.
STEERING, SPEED = np.array([-1, -0.6, -0.25, 0, 0.25, 0.6, 1], np.float32), (-0.5, 0.5, 1.0)
ACTIONS = np.array([(steering, speed) for speed in SPEED for steering in STEERING], np.float32)
SWITCH = 3  # steps for which a driver has the wheel: too few for the state to tell surely who it is
SLIP = 0.1  # share of actions that slip to a neighbouring steering


def skilled(state: Floats) -> Floats:
    """A good driver: follows the bend, corrects offset and heading, brakes in time: (cars, 10) -> (cars, 2)."""
    bend = state[:, 4:] * BEND
    steering = np.arctan(WHEELBASE * bend[:, 0]) / LOCK - 0.35 * state[:, 0] - 1.2 * state[:, 1]
    # How fast the tightest bend within reach of the brakes may be driven, with a tenth of the grip in reserve.
    safe = np.sqrt(0.9 * GRIP / np.maximum(np.abs(bend[:, :4]).max(axis=1), 1e-3))
    speed = 2 * (safe - SLOW) / (FAST - SLOW) - 1
    return np.stack([steering, speed], axis=1).clip(-1, 1).astype(np.float32)


def straight(state: Floats) -> Floats:
    """A driver that does nothing: wheel straight, speed in the middle."""
    return np.zeros((len(state), 2), np.float32)


def number(wishes: Floats) -> NDArray[np.int64]:
    """The number of the action for each wish of a driver: (cars, 2) -> (cars,).

    The nearest steering that isn't full, and a speed no higher than wished and never the highest.
    """
    steering: NDArray[np.int64] = 1 + np.abs(wishes[:, :1] - STEERING[1:-1]).argmin(axis=1)
    return steering + len(STEERING) * (wishes[:, 1] >= SPEED[1])


def nervous(state: Floats) -> Floats:
    """A driver who knows the way and turns the wheel three times too far."""
    steering, speed = skilled(state).T
    return np.stack([(3 * steering).clip(-1, 1), speed], axis=1)


def sleepy(state: Floats) -> Floats:
    """A driver who holds the wheel straight until the car is near the edge, then pulls it round."""
    pull = np.where(np.abs(state[:, 0]) > 0.7, -np.sign(state[:, 0]), 0)
    return np.stack([pull, skilled(state)[:, 1]], axis=1).astype(np.float32)


def leaning(state: Floats) -> Floats:
    """A driver who wants to be where the lane ends on the right."""
    shifted = state.copy()
    shifted[:, 0] += 0.9
    return skilled(shifted)


# Who is at the wheel, and how often. The mixture is worse than its best: a copy of it is no good driver.
DRIVERS = ((skilled, 0.5), (nervous, 0.2), (sleepy, 0.15), (leaning, 0.15))


def slip(action: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """The same speed with the steering beside it."""
    speed, steering = np.divmod(action, len(STEERING))
    beside: NDArray[np.int64] = (steering + rng.choice((-1, 1), len(action))).clip(1, len(STEERING) - 2)
    return speed * len(STEERING) + beside
