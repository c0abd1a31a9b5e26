"""The run around a training: evaluate, log, save, go on after a stop, report.

It knows no algorithm: `ddpg.py`, `td3.py` and `d4pg.py` each hold a whole one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, Protocol

from labhandbook.runs import Checkpoint, Run
from mhi_driving import d4pg, ddpg, td3
from mhi_driving.drive import CHOOSING, Features, Policy, Score, evaluate, reporting, same

Settings = td3.Settings | ddpg.Settings | d4pg.Settings


class Training(Protocol):
    """One training of any algorithm."""

    step: int
    best: float
    envs: Any

    def policy(self) -> Policy:
        """The policy as it is now."""
        ...

    def stretch(self, until: int) -> dict[str, float]:
        """Act and learn up to a step; numbers to log."""
        ...

    def save(self, folder: Any) -> None:
        """Write all that is needed to go on."""
        ...

    def load(self, checkpoint: Checkpoint, *, policy_only: bool = False) -> None:
        """Take what a checkpoint holds."""
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
    training = begin(env_id, settings, seed, features)
    if (last := run.latest()) is not None:
        last.restore(training.load)
    while training.step < settings.steps and not run.stopping:
        numbers = training.stretch(min(settings.steps, training.step + settings.interval))
        score = evaluate(training.policy(), env_id, CHOOSING)
        best = score.mean >= training.best
        training.best = max(training.best, score.mean)
        left = {} if score.disengagements is None else {"disengagements": score.disengagements}
        run.log(training.step, mean=score.mean, **left, **numbers)
        run.save(training.step, training.save, best=best)
        tell(training.step, score)
    training.envs.close()
    if training.step >= settings.steps:
        run.finish(report(run, env_id, training))


def report(run: Run, env_id: str, training: Training) -> dict[str, Any]:
    """The last and the best checkpoint on the roads that decided nothing."""
    seeds, best = reporting(env_id), run.best()
    last = evaluate(training.policy(), env_id, seeds).as_json()
    if best is None:  # its checkpoint was damaged
        return {"best_step": None, "chosen_by": training.best, "last": last, "best": last}
    best.restore(partial(training.load, policy_only=True))
    return {"best_step": best.step, "chosen_by": training.best, "last": last,
            "best": evaluate(training.policy(), env_id, seeds).as_json()}
