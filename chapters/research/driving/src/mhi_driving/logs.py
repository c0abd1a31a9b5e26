"""Logged drives on disk: shards of one record a transition, streamed, so that a log may be larger than memory.

A log is a run's directory with a folder `shards`. A shard is a NumPy file of records, which can be mapped into memory
and holds no Python objects. Each follows from the seed and its own number alone, so a log that broke off continues
with the shards that are missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labhandbook.runs import HandbookError, Run
from mhi_driving.drive import TRAINING
from mhi_driving.drivers import ACTIONS, DRIVERS, SLIP, SWITCH, number, slip
from mhi_driving.lane import Cars, LaneVectorEnv

SECTION = "sec-driving-run"
Records = NDArray[np.void]

CARS = 8  # cars that are logged side by side
FIELDS = ("before", "action", "reward", "after", "ended")


def record_type(view: str) -> np.dtype[np.void]:
    """The fields of a transition. `ended` is a disengagement; the end of the road is none."""
    seen, _ = Cars.spaces(view)
    return np.dtype([("before", seen.dtype, seen.shape), ("action", np.int64), ("reward", np.float32),
                     ("after", seen.dtype, seen.shape), ("ended", np.bool_)])


def drive_lane(view: str, rows: int, rng: np.random.Generator, hold: int = SWITCH) -> Records:
    """Log `rows` transitions of drivers who take turns of `hold` steps: (rows,) records, each car's in order."""
    envs = LaneVectorEnv(CARS, view)
    steps = -(-rows // CARS)
    records = np.zeros((CARS, steps), record_type(view))
    before, _ = envs.reset(seed=[int(seed) for seed in rng.integers(TRAINING, 2**31, size=CARS)])
    shares = [share for _, share in DRIVERS]
    for step in range(steps):
        if step % hold == 0:
            driver = rng.choice(len(DRIVERS), CARS, p=shares)
        state = envs.cars.state()
        wishes = np.stack([number(drive(state)) for drive, _ in DRIVERS])
        action = wishes[driver, np.arange(CARS)]
        action = np.where(rng.random(CARS) < SLIP, slip(action, rng), action)
        after, reward, ended, _, info = envs.step(ACTIONS[action])
        last = after.copy()
        for car in np.flatnonzero(info.get("_final_obs", ())):
            last[car] = info["final_obs"][car]
        row = records[:, step]
        for name, values in (("before", before), ("action", action), ("reward", reward), ("after", last),
                             ("ended", ended)):
            row[name] = values
        before = after
    return records.reshape(-1)[:rows]


def write_log(folder: Path, params: dict[str, Any], drive: Callable[[int, np.random.Generator], Records],
              tell: Callable[[int], None] = lambda shard: None) -> int:
    """Log drives into `folder` until all shards are there, or until it is asked to stop; gives the exit code.

    `params` holds `shards`, `rows` (in each) and `seed` beside what else describes the log. `drive(rows, rng)` gives
    the records of a shard.
    """
    decides = {name: value for name, value in params.items() if name != "shards"}
    with Run.open(folder, decides, steps=params["shards"]) as run:
        place = folder / "shards"
        place.mkdir(exist_ok=True)
        for shard in range(params["shards"]):
            path = place / f"{shard:05d}.npy"
            if run.stopping:
                break
            if not path.exists():
                save(path, drive(params["rows"], np.random.default_rng([params["seed"], shard])))
                tell(shard)
        else:
            if not run.finished:
                # The shards are all that a log needs to continue; a longer one starts from this checkpoint.
                run.save(params["shards"], lambda fresh: (fresh / "shards").write_text(f"{params['shards']}\n"))
                run.finish({"transitions": params["shards"] * params["rows"]})
        return run.exit_code


def save(path: Path, records: Records) -> None:
    """Write a shard whole, or not at all."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as stream:
        np.save(stream, records, allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def unusable(what: str, path: Path) -> HandbookError:
    """The error for a shard that can't be used."""
    return HandbookError(what, where=str(path), section=SECTION, why="a file was cut or changed, or it's no shard",
                         todo="remove it and write the log again: the shards that are there stay")


class Log:
    """A log to learn from."""

    def __init__(self, folder: Path) -> None:
        """Raises HandbookError when `folder` holds no log, or a shard can't be read."""
        self.paths = sorted((folder / "shards").glob("*.npy"))
        if not self.paths:
            raise HandbookError("there is no log here", where=str(folder), section=SECTION,
                                why="learning offline needs the shards that mhi-driving log writes",
                                todo=f"write one with: mhi-driving log {folder}")
        shards = [self.shard(number) for number in range(len(self.paths))]
        self.type, self.rows = shards[0].dtype, sum(map(len, shards))
        for path, shard in zip(self.paths, shards, strict=True):
            if shard.dtype != self.type or not set(FIELDS) <= set(shard.dtype.names or ()) or not self.rows:
                raise unusable("this is no shard of a log with rows", path)

    def shard(self, number: int) -> Records:
        """One shard, mapped: of its bytes only those that are used are read."""
        path = self.paths[number]
        try:
            records: Records = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise unusable(f"a shard can't be read: {error}", path) from None
        return records

    def checked(self, number: int) -> Records:
        """One shard. Raises HandbookError when it holds something that no network can learn from."""
        records = self.shard(number)
        if not (all(np.isfinite(records[name]).all() for name in ("before", "reward", "after"))
                and np.isin(records["action"], np.arange(len(ACTIONS))).all()):
            raise unusable("a shard has a number that is not finite, or an unknown action", self.paths[number])
        return records

    def batches(self, size: int, rng: np.random.Generator, window: int = 4) -> Iterator[Records]:
        """One pass over the log in random order: each record once, in batches of `size`; the last may be smaller.

        Shards are shuffled, and records within `window` shards at a time, which is what is held in memory.
        """
        order = rng.permutation(len(self.paths))
        rest = np.zeros(0, self.type)
        for start in range(0, len(order), window):
            held = np.concatenate([rest, *(self.checked(int(number)) for number in order[start:start + window])])
            mixed = rng.permutation(len(held))
            whole = len(held) - len(held) % size
            for first in range(0, whole, size):
                yield held[mixed[first:first + size]]
            rest = held[mixed[whole:]]
            del held  # before the next ones are read
        if len(rest):
            yield rest


def drive_racing(rows: int, rng: np.random.Generator) -> Records:
    """Log `rows` transitions on CarRacing's tracks, which needs the extra `carracing`."""
    from mhi_driving import carracing  # Box2D isn't everywhere
    return carracing.drive_racing(rows, rng)


DRIVES: dict[str, Callable[[int, np.random.Generator], Records]] = {
    "mhi/Lane-v0": lambda rows, rng: drive_lane("state", rows, rng),
    "mhi/LaneImage-v0": lambda rows, rng: drive_lane("image", rows, rng),
    "mhi/CarRacing-v0": drive_racing,
}
