"""A policy out of a run's directory, whichever way it was learnt."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from labhandbook.errors import HandbookError
from labhandbook.runs import Checkpoint
from mhi_driving import learner, offline
from mhi_driving.drive import Policy, starts
from mhi_driving.logs import ACTIONS
from mhi_driving.train import Training

Settings = TypeVar("Settings", learner.Settings, offline.Settings)


@dataclass(frozen=True)
class Saved:
    """A policy, the environment it was learnt for, and the module behind it if it has a threshold."""

    policy: Policy
    env_id: str
    greedy: offline.Greedy | None = None


def load(folder: Path) -> Saved:
    """The best policy of a training, or the last one of a learning from logs.

    Raises HandbookError when `folder` is no run of this package or has no checkpoint.
    """
    checkpoint = chosen(folder)
    if not (folder / "params.json").is_file() or checkpoint is None:
        raise HandbookError("there is no saved policy here", where=str(folder), section="sec-driving-run",
                            why="a run has one after its first checkpoint",
                            todo="name the directory of a run of mhi-driving train or mhi-driving offline")
    said = json.loads((folder / "params.json").read_text(encoding="utf-8"))
    if said["task"] == "offline":
        shape = starts(said["env"], range(1)).shape[1:]
        settings = pick(offline.Settings, said)
        learnt = offline.OfflineLearner(settings, said["method"], shape, len(ACTIONS), said["seed"])
        learnt.load(checkpoint)
        return Saved(learnt.drive(), said["env"], learnt.policy)
    features = None
    if said["vae"]:
        from mhi_driving.features import features_for
        features = features_for(folder, said["seed"])
    training = Training(said["env"], pick(learner.Settings, said), said["seed"], features)
    training.learner.load(checkpoint.folder / "learner.pt")
    return Saved(training.policy(), said["env"])


def chosen(folder: Path) -> Checkpoint | None:
    """The checkpoint that is marked as the best, else the last; read without locking the run."""
    saved = sorted(path for path in (folder / "checkpoints").glob("*") if path.name.isdigit())
    best = [path for path in saved if (path / "best").exists()]
    paths = best or saved
    return Checkpoint(int(paths[-1].name), paths[-1]) if paths else None


def pick(kind: type[Settings], said: dict[str, Any]) -> Settings:
    """The settings among a run's parameters."""
    return kind(**{field.name: said[field.name] for field in fields(kind)})
