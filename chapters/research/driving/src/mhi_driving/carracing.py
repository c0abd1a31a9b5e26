"""The longer run: Gymnasium's CarRacing from images, behind the lane's interface and with its table of actions.

It needs the extra `carracing`. What the policy sees: the last three frames in grey, (3, 42, 48) bytes. What it does:
steering (left is positive) and a pedal, each from -1 to 1; above 0 the pedal is gas, below it brakes. An action holds
for two frames of 1/50 s. An episode without a new tile of road for 100 actions is cut.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from mhi_driving.drive import TRAINING
from mhi_driving.drivers import ACTIONS, DRIVERS, SWITCH, number
from mhi_driving.lane import Floats

FRAMES, ROWS, COLUMNS, REPEAT, PATIENCE = 3, 42, 48, 2, 100
GAS, BRAKE = 0.6, 0.2  # at full pedal
AHEAD, BEND_AHEAD = 4, 14  # tiles of road: where the drivers aim, and as far as they look for bends
RECORD = np.dtype([("before", np.uint8, (FRAMES, ROWS, COLUMNS)), ("action", np.int64), ("reward", np.float32),
                   ("after", np.uint8, (FRAMES, ROWS, COLUMNS)), ("ended", np.bool_)])


class Racing(gymnasium.Env[NDArray[np.uint8], Floats]):
    """CarRacing-v3 as described above; with `render_mode` "rgb_array" it can be rendered as CarRacing can."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012  # as Gymnasium declares it

    def __init__(self, render_mode: str | None = None) -> None:
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        self.render_mode = render_mode
        self.world = gymnasium.make("CarRacing-v3", disable_env_checker=True, render_mode=render_mode)
        self.observation_space = gymnasium.spaces.Box(0, 255, (FRAMES, ROWS, COLUMNS), np.uint8)
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
        self.frames: deque[NDArray[np.uint8]] = deque(maxlen=FRAMES)
        self.idle = 0

    def reset(self, *, seed: int | None = None,
              options: dict[str, Any] | None = None) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begin on a new track; the same seed gives the same track."""
        super().reset(seed=seed)
        frame, _ = self.world.reset(seed=seed)
        self.frames.extend([shrink(frame)] * FRAMES)
        self.idle = 0
        return np.stack(self.frames), {}

    def step(self, action: Floats) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Hold an action for two frames; the reward is CarRacing's."""
        steering, pedal = (float(value) for value in action)
        control = np.array([-steering, GAS * max(pedal, 0), BRAKE * max(-pedal, 0)], np.float32)
        total, terminated, truncated = 0.0, False, False
        for _ in range(REPEAT):
            frame, reward, terminated, truncated, _ = self.world.step(control)
            total += float(reward)
            if terminated or truncated:
                break
        self.frames.append(shrink(frame))
        self.idle = 0 if total > 0 else self.idle + 1
        return np.stack(self.frames), total, terminated, truncated or self.idle >= PATIENCE, {}

    def render(self) -> Any:
        """What a person sees now, (400, 600, 3) bytes."""
        return self.world.render()

    def close(self) -> None:
        """Close the world."""
        self.world.close()

    def state(self) -> Floats:
        """What the lane's drivers need to know, (1, 10), as if the track were a lane; no policy sees it."""
        world: Any = self.world.unwrapped
        track = np.array(world.track)[:, 1:]  # heading, x, y of each tile
        hull = world.car.hull
        here = np.array(hull.position)
        at = int(np.square(track[:, 1:] - here).sum(axis=1).argmin())
        tile, aim, bend = (track[(at + ahead) % len(track)] for ahead in (0, AHEAD, BEND_AHEAD))
        left = float(np.dot(here - tile[1:], (-np.cos(tile[0]), -np.sin(tile[0]))))
        turn = wrap(aim[0] - hull.angle)
        speed = float(np.hypot(*hull.linearVelocity))
        seen = np.zeros((1, 10), np.float32)
        seen[0, :4] = left / 6.0, np.sin(wrap(hull.angle - tile[0])), 0, 0
        # The drivers brake for what they think is a bend: so they get one when the car is too fast.
        seen[0, 4:8] = np.clip(turn, -0.6, 0.6)  # less than they brake for
        seen[0, 4:8] += np.sign(turn or 1) * 2 * (speed > max(25, 55 - 40 * abs(wrap(bend[0] - tile[0]))))
        return seen


def shrink(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame (96, 96, 3) in grey without its dashboard, every other pixel: (42, 48)."""
    grey: NDArray[np.uint8] = frame[:84:2, ::2].mean(axis=2).astype(np.uint8)
    return grey


def wrap(angle: float) -> float:
    """An angle from -pi to pi."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def drive_racing(rows: int, rng: np.random.Generator) -> NDArray[np.void]:
    """Log `rows` transitions of the lane's drivers on tracks, taking turns at the wheel."""
    env, records = Racing(), np.zeros(rows, RECORD)
    shares = [share for _, share in DRIVERS]
    before, _ = env.reset(seed=int(rng.integers(TRAINING, 2**31)))
    for step in range(rows):
        if step % SWITCH == 0:
            driver, _ = DRIVERS[rng.choice(len(DRIVERS), p=shares)]
        action = int(number(driver(env.state()))[0])
        after, reward, ended, cut, _ = env.step(ACTIONS[action])
        records[step] = before, action, reward, after, ended
        before = env.reset(seed=int(rng.integers(TRAINING, 2**31)))[0] if ended or cut else after
    env.close()
    return records
