"""The environment as learners use it: made, checked, learnt in, and driven for whole episodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers.vector import RescaleAction
from numpy.typing import NDArray

from labhandbook.runs import HandbookError

SECTION = "sec-driving-run"
Policy = Callable[[NDArray[Any]], NDArray[Any]]
Features = Callable[[NDArray[Any]], NDArray[Any]]

# Episodes by their seeds; on a lane each is a road, and each is used for one thing only.
CHOOSING = range(1_000, 1_010)  # the best checkpoint of a training is chosen on these
DEVELOPING = range(2_000, 2_020)  # looked at while a method, a log or a setting is being made
REPORTING = range(5_000, 5_020)  # reported, once all is settled: no choice of ours has seen them
TRAINING = 1_000_000  # training and logging take seeds from here on

LANES = {"mhi/Lane-v0": "state", "mhi/LaneImage-v0": "image"}  # each lane, and what a policy sees in it
EPISODES = {"mhi/CarRacing-v0": 5}  # how many are reported where twenty take minutes


def same(seen: NDArray[Any]) -> NDArray[Any]:
    """Features that are the observations themselves."""
    return seen


def check(env_id: str, *, continuous: bool = True) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shapes of an environment's observations and actions.

    Raises HandbookError when there is no such environment, when what it needs is not installed, and when no learner
    here can work in it: observations must be vectors or images with the channels first, actions vectors of numbers.
    """
    try:
        env = gymnasium.make(env_id, disable_env_checker=True)
    except (gymnasium.error.Error, ImportError, ValueError) as error:
        todo = "name one of mhi/Lane-v0, mhi/LaneImage-v0, mhi/CarRacing-v0, Pendulum-v1, or another of Gymnasium's"
        if isinstance(error, gymnasium.error.DependencyNotInstalled | ModuleNotFoundError):
            todo = "install what it needs; mhi/CarRacing-v0 needs the extra carracing"
        raise HandbookError(f"the environment {env_id} can't be made: {str(error).splitlines()[0]}", section=SECTION,
                            todo=todo) from None
    seen, action = env.observation_space, env.action_space
    env.close()
    box = gymnasium.spaces.Box
    if not isinstance(seen, box) or len(seen.shape) not in (1, 3):
        raise HandbookError(f"{env_id} has observations of the kind {seen}", section=SECTION,
                            why="the networks take vectors, and images with the channels first",
                            todo="use another environment, or wrap this one")
    if len(seen.shape) == 3 and min(seen.shape[1:]) < 10:
        raise HandbookError(f"{env_id} has images of {seen.shape[1]} by {seen.shape[2]} pixels", section=SECTION,
                            why="the convolutions take at least 10 by 10, with the channels first",
                            todo="use another environment, or wrap this one")
    if continuous and not (isinstance(action, box) and len(action.shape) == 1 and action.is_bounded()):
        raise HandbookError(f"{env_id} has actions of the kind {action}", section=SECTION,
                            why="DDPG, TD3 and D4PG choose numbers between two bounds",
                            todo="use an environment with continuous actions")
    return seen.shape, action.shape or ()


def make_envs(env_id: str, count: int, processes: bool = False) -> VectorEnv[Any, Any, Any]:
    """`count` environments that take actions from -1 to 1 and begin again in the step in which an episode ends.

    `processes` gives each a process of its own, which pays where a step takes milliseconds.
    """
    if gymnasium.spec(env_id).vector_entry_point is not None:
        envs = gymnasium.make_vec(env_id, count)
    else:
        envs = gymnasium.make_vec(env_id, count, "async" if processes else "sync",
                                  vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP})
    action = envs.single_action_space
    if isinstance(action, gymnasium.spaces.Box) and not (np.all(action.low == -1) and np.all(action.high == 1)):
        return RescaleAction(envs, np.full(action.shape, -1, np.float32), np.full(action.shape, 1, np.float32))
    return envs


class TrainingEnvs:
    """Environments to learn in, side by side. Each observation is (count, ...), as features."""

    def __init__(self, env_id: str, count: int, features: Features = same, processes: bool = False) -> None:
        self.envs, self.features = make_envs(env_id, count, processes), features
        space = self.envs.single_observation_space
        example = features(np.zeros((1, *(space.shape or ())), space.dtype))
        self.observation, self.dtype = example.shape[1:], example.dtype
        self.action = int(np.prod(self.envs.single_action_space.shape or ()))

    def reset(self, seed: int, step: int) -> NDArray[Any]:
        """Begin all episodes anew, `step` steps into the training with this seed; the first observations.

        The seed of the environments follows from both. A training begins anew after each checkpoint: so a run that
        continues from one does what it would have done without the stop, to the bit.
        """
        return self.features(self.envs.reset(seed=TRAINING * (1 + seed) + step)[0])

    def step(self, actions: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Act in each: observations to act on next, rewards, true ends, time limits, and what each action led to.

        The first and the last differ where an episode is over: the next action is then the first of another.
        """
        seen, reward, terminated, truncated, info = self.envs.step(actions)
        now = self.features(seen)
        after = now.copy()
        for over in (terminated | truncated).nonzero()[0]:
            after[over] = self.features(info["final_obs"][over][None])[0]
        return now, reward, terminated, truncated, after

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()


def reporting(env_id: str) -> range:
    """The seeds of the episodes that are reported."""
    return REPORTING[: EPISODES.get(env_id, len(REPORTING))]


@dataclass(frozen=True)
class Score:
    """What came of some episodes: their returns, and on a lane, where they are metres, how many cars left it."""

    returns: tuple[float, ...]
    discounted: float  # the mean of the discounted returns
    disengagements: int | None = None  # none away from a lane: there an episode may also end well

    @property
    def mean(self) -> float:
        """The mean return of an episode; on a lane, metres."""
        return float(np.mean(self.returns))

    @property
    def metres_per_disengagement(self) -> float:
        """Metres driven for each time that the safety driver took over.

        Without any it is the metres driven: a lower bound, as the next metre might have been the one.
        """
        return float(np.sum(self.returns)) / max(1, self.disengagements or 0)

    def as_json(self) -> dict[str, Any]:
        """The score as JSON values; metres and disengagements only of a lane."""
        score = {"returns": self.returns, "discounted": self.discounted, "mean": self.mean}
        lane = {"disengagements": self.disengagements, "metres_per_disengagement": self.metres_per_disengagement}
        return score if self.disengagements is None else score | lane


def evaluate(policy: Policy, env_id: str, seeds: Sequence[int] = REPORTING, discount: float = 1.0) -> Score:
    """Drive one episode from each seed, all side by side, without exploration noise.

    `policy` maps observations (episodes, ...) to actions (episodes, ...).
    """
    envs = make_envs(env_id, len(seeds))
    seen = begin(envs, seeds)
    returns, discounted, left = np.zeros(len(seeds)), np.zeros(len(seeds)), np.zeros(len(seeds), bool)
    counts = 1.0
    going = np.ones(len(seeds), bool)
    while going.any():
        seen, reward, terminated, truncated, _ = envs.step(policy(seen))
        returns += reward * going
        discounted += counts * reward * going
        counts *= discount
        left |= terminated & going
        going &= ~(terminated | truncated)
    envs.close()
    return Score(tuple(float(value) for value in returns), float(discounted.mean()),
                 int(left.sum()) if env_id in LANES else None)


def starts(env_id: str, seeds: Sequence[int] = REPORTING) -> NDArray[Any]:
    """The first observation of each of the episodes that `evaluate` drives."""
    envs = make_envs(env_id, len(seeds))
    seen = begin(envs, seeds)
    envs.close()
    return seen


def begin(envs: VectorEnv[Any, Any, Any], seeds: Sequence[int]) -> NDArray[Any]:
    """Begin each episode from its own seed; the first observations."""
    seen: NDArray[Any] = envs.reset(seed=list(seeds))[0]  # type: ignore[arg-type]  # lists are taken, too
    return seen
