"""The run around a training: evaluate, log, save, continue after a stop, report.

What is learnt is in `ddpg.py`, `td3.py` and `d4pg.py`: each holds a whole algorithm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial, reduce
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from labhandbook.runs import Checkpoint, Run
from mhi_driving import d4pg, ddpg, td3
from mhi_driving.drive import CHOOSING, Features, Policy, Score, TrainingEnvs, evaluate, reporting, same
from mhi_driving.replay import Replay

Settings = td3.Settings | ddpg.Settings | d4pg.Settings


class Training(Protocol):
    """One training of any algorithm."""

    KEPT: tuple[str, ...]  # what a checkpoint keeps of it, by its name, beside the replay
    step: int
    actor: Any
    envs: TrainingEnvs
    replay: Replay

    def stretch(self, until: int) -> list[dict[str, float]]:
        """Act and learn up to a step; the numbers of each update."""
        ...


# part: presets
PRESETS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "ddpg": (ddpg.settings_for, {}),
    "td3": (td3.settings_for, {}),
    "d4pg": (d4pg.settings_for, {}),
    "ddpg-parameter": (ddpg.settings_for, {"noise": "parameter"}),
}
# end: presets


def settings_for(preset: str, env_id: str, **changes: Any) -> Any:
    """The settings of a preset on an environment, with what is changed by hand on top."""
    make, own = PRESETS[preset]
    return make(env_id, **{**own, **changes})


def begin(env_id: str, settings: Settings, seed: int, features: Features = same) -> Training:
    """A new training of the algorithm that the settings belong to."""
    if isinstance(settings, td3.Settings):
        return td3.TD3(env_id, settings, seed, features)
    if isinstance(settings, ddpg.Settings):
        return ddpg.DDPG(env_id, settings, seed, features)
    return d4pg.D4PG(env_id, settings, seed, features)


def params(env_id: str, settings: Settings, seed: int, vae: bool = False) -> dict[str, Any]:
    """What decides a training, as a run's parameters. How long it runs is not one of them."""
    decides = {name: value for name, value in asdict(settings).items() if name != "steps"}
    return {"task": type(settings).__module__.rpartition(".")[2], "env": env_id, "seed": seed, "vae": vae, **decides}


def train(run: Run, env_id: str, settings: Settings, seed: int, features: Features = same,
          tell: Callable[[int, Score], None] = lambda step, score: None) -> None:
    """Train in a run's directory until the end, or until the run is asked to stop; then it continues the next time.

    The checkpoint that drives best on the roads of `CHOOSING` is kept, and reported on others beside the last one.
    `tell` is called with each evaluation.
    """
    if run.finished:
        return
    training, best = begin(env_id, settings, seed, features), -np.inf
    policy = policy_of(training, features)
    if (last := run.latest()) is not None:
        best = last.restore(partial(load_state, training))
    while training.step < settings.steps and not run.stopping:
        numbers = means(training.stretch(min(settings.steps, training.step + settings.interval)))
        score = evaluate(policy, env_id, CHOOSING)
        is_best, best = score.mean >= best, max(best, score.mean)
        left = {} if score.disengagements is None else {"disengagements": score.disengagements}
        run.log(training.step, mean=score.mean, **left, **numbers)
        run.save(training.step, partial(save_state, training, best), best=is_best)
        tell(training.step, score)
    training.envs.close()
    if training.step >= settings.steps:
        run.finish(report(run, env_id, training, policy, best))


def policy_of(training: Training, features: Features) -> Policy:
    """What a training's actor does at each call, from observations instead of features."""
    return lambda seen: training.actor.act(features(seen))


def means(logged: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each number over the updates that gave it."""
    names = dict.fromkeys(name for numbers in logged for name in numbers)
    return {name: float(np.mean([numbers[name] for numbers in logged if name in numbers])) for name in names}


def save_state(training: Training, best: float, folder: Path) -> None:
    """Write all that is needed to continue; torch and NumPy read it without running code."""
    state = {name: state_of(attrgetter(name)(training)) for name in training.KEPT}
    torch.save({**state, "best": best}, folder / "learner.pt")
    training.replay.save(folder / "replay.npz")


def load_state(training: Training, checkpoint: Checkpoint, *, policy_only: bool = False) -> float:
    """Continue from what `save_state` wrote, or take all but the replay; the best mean until then."""
    state = torch.load(checkpoint.folder / "learner.pt", weights_only=True)
    for name in training.KEPT:
        put_back(training, name, state[name])
    if not policy_only:
        training.replay.load(checkpoint.folder / "replay.npz")
    best: float = state["best"]
    return best


def state_of(part: Any) -> Any:
    """The state of a random generator, of a network or an optimiser; a number is its own."""
    match part:
        case np.random.Generator():
            return part.bit_generator.state
        case torch.Generator():
            return part.get_state()
        case int() | float():
            return part
    return part.state_dict()


def put_back(training: Training, name: str, state: Any) -> None:
    """Give the part of a training that has this name the state that it had."""
    *owners, last = name.split(".")
    owner = reduce(getattr, owners, training)
    match getattr(owner, last):
        case np.random.Generator() as rng:
            rng.bit_generator.state = state
        case torch.Generator() as generator:
            generator.set_state(state)
        case int() | float():
            setattr(owner, last, state)
        case part:
            part.load_state_dict(state)


def report(run: Run, env_id: str, training: Training, policy: Policy, chosen_by: float) -> dict[str, Any]:
    """The last and the best checkpoint on the roads that decided nothing."""
    seeds, best = reporting(env_id), run.best()
    last = evaluate(policy, env_id, seeds).as_json()
    if best is None:  # its checkpoint was damaged
        return {"best_step": None, "chosen_by": chosen_by, "last": last, "best": last}
    best.restore(partial(load_state, training, policy_only=True))
    return {"best_step": best.step, "chosen_by": chosen_by, "last": last,
            "best": evaluate(policy, env_id, seeds).as_json()}
