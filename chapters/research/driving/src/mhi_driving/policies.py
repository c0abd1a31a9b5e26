"""A policy from a run's directory, whichever way it was learnt."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from labhandbook.runs import HandbookError, read_checkpoint
from mhi_driving import bcq, d4pg, ddpg, td3
from mhi_driving.drive import SECTION, Features, Policy, check, same, starts
from mhi_driving.drivers import ACTIONS
from mhi_driving.train import begin, load_state, policy_of

KINDS: dict[str, Any] = {"td3": td3.Settings, "ddpg": ddpg.Settings, "d4pg": d4pg.Settings, "bcq": bcq.Settings}


@dataclass(frozen=True)
class Saved:
    """A policy, the environment it was learnt for, and the module behind it if it has a threshold."""

    policy: Policy
    env_id: str
    greedy: bcq.Greedy | None = None


def load(folder: Path) -> Saved:
    """The best policy of a training, or the last one of a learning from logs.

    Raises HandbookError when `folder` is no run of this package, and when it has no whole checkpoint.
    """
    said = described(folder)
    checkpoint = read_checkpoint(folder, best=said.get("task") != "bcq")
    if checkpoint is None or str(said.get("task")) not in KINDS:
        raise HandbookError("there is no saved policy here", where=str(folder), section=SECTION,
                            why="a run has one after its first checkpoint",
                            todo="name the directory of a run of mhi-driving train or mhi-driving offline")
    try:
        settings = pick(KINDS[said["task"]], said)
        env_id, seed = str(said["env"]), int(said["seed"])
        check(env_id, continuous=False)
        if said["task"] == "bcq":
            shape = starts(env_id, range(1)).shape[1:]
            learnt = bcq.BCQ(settings, said["method"], shape, len(ACTIONS), seed)
            checkpoint.restore(learnt.load)
            return Saved(learnt.drive(), env_id, learnt.policy)
        features = features_of(folder, seed) if said["vae"] else same
        training = begin(env_id, settings, seed, features)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise HandbookError(f"the parameters of this run can't be used: {error}", where=str(folder / "params.json"),
                            section=SECTION, why="another version of this package wrote them, or they were changed",
                            todo="train again in another directory") from None
    checkpoint.restore(partial(load_state, training, policy_only=True))
    training.envs.close()
    return Saved(policy_of(training, features), env_id)


def described(folder: Path) -> dict[str, Any]:
    """The parameters of a run; none where there is no run."""
    try:
        said = json.loads((folder / "params.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def features_of(folder: Path, seed: int) -> Features:
    """The autoencoder of a run."""
    from mhi_driving.features import features_for
    return features_for(folder, seed)


def pick(kind: Any, said: dict[str, Any]) -> Any:
    """The settings among a run's parameters; how long the run went on is none of them."""
    return kind(**{field.name: said[field.name] for field in fields(kind) if field.name not in ("steps", "epochs")})


def fits(saved: Saved, env_id: str, folder: Path) -> None:
    """Raises HandbookError when a policy can't drive in an environment: what it sees or what it does is different."""
    own, other = (check(name, continuous=False) for name in (saved.env_id, env_id))
    for what, one, two in zip(("observations", "actions"), own, other, strict=True):
        if one != two:
            raise HandbookError(f"this policy was learnt in {saved.env_id} and can't drive in {env_id}",
                                where=str(folder), section=SECTION, why=f"its {what} have the shape {one}, not {two}",
                                todo=f"evaluate it in {saved.env_id}, or train one in {env_id}")
