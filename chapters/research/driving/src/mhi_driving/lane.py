"""A car in a lane: a small driving environment with the Gymnasium interface, for one car or for many at once.

The car has to keep within 2 m of the centre of a winding lane of 250 m, the length of the road that Kendall et al.
(2019) drove. Where it leaves the lane the safety driver takes over: a *disengagement*. The reward of a step is the
metres driven along the lane in it, so an episode's return is its distance, and a value is a discounted distance in
metres. What counts is metres per disengagement.

Dynamics: the kinematic bicycle model in the lane's own coordinates (Rajamani 2012, sections 2.2 and 2.5), with a
steering wheel that takes time to turn, and tyres that hold only a limited sideways acceleration.

    s, e   metres along the lane, and to the left of its centre        psi   heading against the lane, radians
    v      speed, metres a second                                      kappa curvature of the lane, 1 / metres
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

LENGTH, AHEAD = 250, 40  # metres of road to drive, and more of it to look at
HALF_WIDTH = 2.0  # metres from the centre at which the safety driver takes over
STEP = 0.1  # seconds
SLOW, FAST = 4.0, 12.0  # metres a second: the speeds that the second action chooses between
GAIN, BRAKE = 3.0, 6.0  # metres a second squared
WHEELBASE, LOCK, TURN = 2.7, 0.5, 4.0  # metres; radians at full steering; full steerings a second
GRIP = 6.0  # metres a second squared: what the tyres hold sideways
BEND = 1 / 12  # 1 / metres: the tightest curve
LOOK = np.array([0, 4, 8, 12, 17, 23])  # metres ahead at which the state names the curvature
SIDE = 24  # pixels
DASHBOARD = 2  # rows at the image's foot: speed and steering, as bars
CLOSEST, FARTHEST = 1.5, 30.0  # metres ahead that the image shows


def build_road(rng: np.random.Generator) -> Floats:
    """The curvature of a new road at each metre (1 / metres): bends of 12 to 35 m, joined smoothly."""
    bends = rng.uniform(-BEND, BEND, 40)
    lengths = rng.integers(12, 36, 40)
    raw = np.repeat(bends, lengths)[: LENGTH + AHEAD + 6]
    return np.convolve(raw, np.full(7, 1 / 7), mode="valid").astype(np.float32)


def trace(curvature: Floats) -> Floats:
    """Where the centre of a road runs: x, y (metres) and heading (radians) at each metre, shape (3, metres)."""
    heading = np.concatenate([[0], np.cumsum(curvature[:-1])])
    x, y = (np.concatenate([[0], np.cumsum(turn(heading[:-1]))]) for turn in (np.cos, np.sin))
    return np.stack([x, y, heading]).astype(np.float32)


class Cars:
    """Some cars, each on a road of its own, stepped together. Arrays have one entry a car."""

    def __init__(self, count: int, view: str) -> None:
        if view not in ("state", "image"):
            raise ValueError(f"view is 'state' or 'image', not {view!r}")
        self.view = view
        self.rows = np.arange(count)
        self.curvature = np.zeros((count, LENGTH + AHEAD), np.float32)
        self.centre = np.zeros((count, 3, LENGTH + AHEAD), np.float32)
        self.s, self.e, self.psi, self.v, self.steering = np.zeros((5, count), np.float32)

    @staticmethod
    def spaces(view: str) -> tuple[Any, Any]:
        """What a car sees and what it does.

        `state`: 10 floats, each about 1: offset, sine of the heading, speed, steering, and the curvature at `LOOK`.
        `image`: grey, (1, 24, 24) bytes, the road ahead with a dashboard. An action is steering (left is positive)
        and speed, each from -1 to 1.
        """
        sees = (gymnasium.spaces.Box(-2, 2, (4 + len(LOOK),), np.float32) if view == "state"
                else gymnasium.spaces.Box(0, 255, (1, SIDE, SIDE), np.uint8))
        return sees, gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    def place(self, car: int, rng: np.random.Generator) -> None:
        """Put one car at the start of a new road, not quite straight and not quite in the middle."""
        self.curvature[car] = build_road(rng)
        self.centre[car] = trace(self.curvature[car])
        self.s[car], self.steering[car] = 0, 0
        self.e[car], self.psi[car], self.v[car] = rng.uniform((-0.5, -0.1, SLOW), (0.5, 0.1, 8.0))

    def step(self, actions: Floats) -> tuple[Floats, Flags, Flags]:
        """Drive for a tenth of a second.

        `actions`: (cars, 2). Gives the metres that each car drove, which of them left the lane, and which reached
        the road's end.
        """
        actions = actions.clip(-1, 1)
        wanted = SLOW + (actions[:, 1] + 1) * (FAST - SLOW) / 2
        self.v += (wanted - self.v).clip(-BRAKE * STEP, GAIN * STEP)
        self.steering += (actions[:, 0] - self.steering).clip(-TURN * STEP, TURN * STEP)
        kappa = self.curvature[self.rows, self.s.astype(np.int64)]
        driven = STEP * self.v * np.cos(self.psi) / (1 - self.e * kappa)
        limit = GRIP / self.v
        yaw = (self.v * np.tan(LOCK * self.steering) / WHEELBASE).clip(-limit, limit)
        self.e += STEP * self.v * np.sin(self.psi)
        self.psi += STEP * yaw - kappa * driven
        before = self.s
        self.s = np.clip(before + driven, 0, LENGTH)
        return self.s - before, np.abs(self.e) > HALF_WIDTH, self.s >= LENGTH

    def see(self) -> NDArray[Any]:
        """What each car sees: (cars, 10) floats or (cars, 1, 24, 24) bytes."""
        return self.state() if self.view == "state" else self.image()

    def state(self) -> Floats:
        """The state view, whatever the view is."""
        seen = np.empty((len(self.rows), 4 + len(LOOK)), np.float32)
        seen[:, 0], seen[:, 1] = self.e / HALF_WIDTH, np.sin(self.psi)
        seen[:, 2], seen[:, 3] = (self.v - SLOW) / (FAST - SLOW), self.steering
        seen[:, 4:] = self.curvature[self.rows[:, None], self.s.astype(np.int64)[:, None] + LOOK] / BEND
        return seen

    def image(self) -> NDArray[np.uint8]:
        """The lane as a camera above the bonnet sees it: far rows on top, wider the farther, edges blurred."""
        at = self.s[:, None] + _DEPTH
        low = at.astype(np.int64)
        part = (at - low)[:, None]
        rows = self.rows[:, None, None]
        axes = np.arange(2)[:, None]
        points = (1 - part) * self.centre[rows, axes, low[:, None]] + part * self.centre[rows, axes, low[:, None] + 1]
        x, y, heading = self.pose()
        left = ((points[:, 1] - y[:, None]) * np.cos(heading)[:, None]
                - (points[:, 0] - x[:, None]) * np.sin(heading)[:, None])
        inside = HALF_WIDTH - np.abs(_ACROSS - left[:, :, None])
        seen = np.zeros((len(self.rows), 1, SIDE, SIDE), np.uint8)
        seen[:, 0, :-DASHBOARD] = 255 * (0.5 + inside / _PIXEL).clip(0, 1)
        columns = np.arange(SIDE)
        speed = (self.v - SLOW) / (FAST - SLOW) * SIDE
        wheel = (1 - self.steering) * SIDE / 2
        seen[:, 0, -2] = 255 * (speed[:, None] - columns).clip(0, 1)
        seen[:, 0, -1] = 255 * (1.5 - np.abs(columns + 0.5 - wheel[:, None])).clip(0, 1)
        return seen

    def pose(self) -> tuple[Floats, Floats, Floats]:
        """Where each car is: x, y (metres) and heading (radians) on the map of its road."""
        low = self.s.astype(np.int64)
        part = self.s - low
        x, y, heading = ((1 - part) * self.centre[self.rows, axis, low] + part * self.centre[self.rows, axis, low + 1]
                         for axis in range(3))
        return x - self.e * np.sin(heading), y + self.e * np.cos(heading), heading + self.psi


# For each row of the image that shows road: how far ahead it looks (metres), what its pixels lie beside the car's
# axis (metres, left is positive), and how wide one pixel is.
_DEPTH = np.geomspace(FARTHEST, CLOSEST, SIDE - DASHBOARD).astype(np.float32)
_HALF = (2.5 + 0.35 * _DEPTH)[:, None]
_ACROSS = (_HALF * np.linspace(1, -1, SIDE)).astype(np.float32)
_PIXEL = (2 * _HALF / SIDE).astype(np.float32)


class LaneEnv(gymnasium.Env[NDArray[Any], Floats]):
    """One car. `terminated` is a disengagement, `truncated` the end of the road."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (Gymnasium's interface)

    def __init__(self, view: str = "state", render_mode: str | None = None) -> None:
        self.cars = Cars(1, view)
        self.observation_space, self.action_space = Cars.spaces(view)
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None,
              options: dict[str, Any] | None = None) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin on a new road; the same seed gives the same road."""
        super().reset(seed=seed)
        self.cars.place(0, self.np_random)
        return self.cars.see()[0], {}

    def step(self, action: Floats) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        """Drive for a tenth of a second; the reward is the metres driven."""
        metres, left, ended = self.cars.step(np.asarray(action, np.float32)[None])
        return self.cars.see()[0], float(metres[0]), bool(left[0]), bool(ended[0] and not left[0]), {}

    def render(self) -> NDArray[np.uint8]:
        """The camera's view in grey, (24, 24, 3) bytes."""
        return np.repeat(self.cars.image()[0, 0, :, :, None], 3, axis=2)


class LaneVectorEnv(VectorEnv[NDArray[Any], Floats, NDArray[Any]]):
    """Many cars, stepped in one go. A car whose episode ends begins another in the same step."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012 (Gymnasium's interface)

    def __init__(self, num_envs: int = 1, view: str = "state") -> None:
        self.num_envs = num_envs
        self.cars = Cars(num_envs, view)
        self.single_observation_space, self.single_action_space = Cars.spaces(view)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.rngs = [np.random.default_rng() for _ in range(num_envs)]

    def reset(self, *, seed: int | Sequence[int | None] | None = None,
              options: dict[str, Any] | None = None) -> tuple[NDArray[Any], dict[str, Any]]:
        """Put every car on a new road. A list of seeds gives each its own; from a number they count up."""
        if isinstance(seed, int):
            seed = [seed + car for car in range(self.num_envs)]
        for car, number in enumerate(seed or ()):
            if number is not None:
                self.rngs[car] = np.random.Generator(np.random.PCG64(number))
        for car in range(self.num_envs):
            self.cars.place(car, self.rngs[car])
        return self.cars.see(), {}

    def step(self, actions: Floats) -> tuple[NDArray[Any], NDArray[Any], Flags, Flags, dict[str, Any]]:
        """Drive for a tenth of a second; `final_obs` in the last dictionary holds how ended episodes ended."""
        metres, left, ended = self.cars.step(np.asarray(actions, np.float32))
        seen, over = self.cars.see(), left | ended
        info: dict[str, Any] = {}
        if over.any():
            last = np.full(self.num_envs, None, object)
            for car in over.nonzero()[0]:
                last[car] = seen[car].copy()
                self.cars.place(int(car), self.rngs[car])
            info = {"final_obs": last, "_final_obs": over}
            seen = self.cars.see()
        return seen, metres.astype(np.float64), left, ended & ~left, info
