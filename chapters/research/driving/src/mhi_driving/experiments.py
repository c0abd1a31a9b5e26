"""The runs behind the page: some seeds of everything, each in its own run directory, and the numbers in results.json.

All of it continues after a kill: a run that has ended well is read, not run again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from labhandbook.runs import HandbookError, Run, as_json, read_metrics, spread, write_files
from mhi_driving import bcq, figures, logs, strip
from mhi_driving.drive import REPORTING, SECTION, evaluate, reporting, same
from mhi_driving.drivers import SWITCH, number, skilled, straight
from mhi_driving.logs import Log
from mhi_driving.policies import features_of, load
from mhi_driving.replay import as_input
from mhi_driving.train import PRESETS, params, settings_for, train

# Twenty seeds where a seed takes seconds: the pendulum and learning from a log. Five of everything else, because all
# parts together take hours. From images, the first five helped to choose settings, so others are reported.
SEEDS = {"pendulum": range(20), "lane": range(5), "images": range(10, 15), "offline": range(20), "held": range(20),
         "racing": range(5)}
PENDULUM, LANE, IMAGE, STEPS = "Pendulum-v1", "mhi/Lane-v0", "mhi/LaneImage-v0", 8_000
RACING = "mhi/CarRacing-v0"
# What the first five seeds of BCQ drove when the same program ran on another machine, with another processor.
ELSEWHERE = (5000.0, 5000.0, 1476.0, 575.0, 1595.0)
HELD = 15  # steps for which drivers keep the wheel in the log where the state shows who drives
LOG: dict[str, Any] = {"env": LANE, "shards": 30, "rows": 2_000}
RACING_LOG: dict[str, Any] = {**LOG, "env": RACING, "seed": 0}
Result = dict[str, Any]
Tell = Callable[[str], None]


class Stopped(Exception):
    """The process was asked to stop; what is done stays."""

    def __init__(self, code: int) -> None:
        super().__init__(f"stopped with exit code {code}")
        self.code = code


def online(runs: Path, env_id: str, preset: str, seed: int, *, vae: bool = False, **changes: Any) -> Result:
    """Train a preset, or read what came of it."""
    settings = settings_for(preset, env_id, **changes)
    folder = runs / name_of(env_id, preset, seed, vae)
    with Run.open(folder, params(env_id, settings, seed, vae), steps=settings.steps) as run:
        if not run.finished:
            train(run, env_id, settings, seed, features_of(folder, seed) if vae else same)
        return ended(run)


def name_of(env_id: str, preset: str, seed: int, vae: bool = False) -> str:
    """The name of a run's directory."""
    return f"{env_id.rpartition('/')[2]}-{preset}{'-vae' if vae else ''}-{seed}"


def wobbles(evaluations: list[dict[str, Any]]) -> bool:
    """Whether a training left the lane again after an evaluation in which it didn't."""
    left = [evaluation["disengagements"] for evaluation in evaluations]
    return 0 in left and any(left[left.index(0):])


def from_log(runs: Path, method: str, seed: int, settings: bcq.Settings | None = None, hold: int = SWITCH) -> Result:
    """Log drives with a seed, learn from them by a method, or read what came of it."""
    settings, folder = settings or bcq.Settings(), runs / f"log-{seed}"
    described = LOG if hold == SWITCH else {**LOG, "hold": hold}
    if code := logs.write_log(folder, {**described, "seed": seed},
                              lambda rows, rng: logs.drive_lane("state", rows, rng, hold)):
        raise Stopped(code)
    return learnt(runs / f"{method}-{seed}", folder, LANE, method, seed, settings)


def learnt(folder: Path, log: Path, env_id: str, method: str, seed: int, settings: bcq.Settings) -> Result:
    """Learn from a log in a run's directory, or read what came of it."""
    with Run.open(folder, bcq.params(log, env_id, method, settings, seed), steps=settings.epochs) as run:
        if not run.finished:
            bcq.learn(run, Log(log), env_id, method, settings, seed)
        return ended(run)


def ended(run: Run) -> Result:
    """What came of a run. Raises Stopped when it was stopped on the way."""
    if run.result is None:
        raise Stopped(run.exit_code)
    return run.result


def log_metres(folder: Path) -> float:
    """Metres per disengagement of the drivers in a log."""
    log = Log(folder)
    shards = [log.shard(number) for number in range(len(log.paths))]
    metres, ends = (sum(float(shard[name].sum()) for shard in shards) for name in ("reward", "ended"))
    return metres / max(1, ends)


def unseen(folder: Path, log: Log) -> Result:
    """How far from its log a policy acts, in percent of the log's states.

    `rare`: it does what the log's drivers do there in less than one of a hundred times, by its own G(a | s).
    `never`: it does what none of them ever did anywhere.
    """
    greedy, records = load(folder).greedy, np.concatenate([log.shard(number) for number in range(len(log.paths))])
    assert greedy is not None
    with torch.no_grad():
        states = as_input(records["before"])
        chosen = greedy(states)
        chance = greedy.behaviour(states).softmax(dim=1).gather(1, chosen[:, None]).numpy()
    never = ~np.isin(chosen.numpy(), records["action"])
    return {"rare": round(100 * float(np.mean(chance < 0.01))), "never": round(100 * float(np.mean(never)))}


def forbidden(runs: Path, seeds: range) -> int:
    """Percent of the logs' states in which BCQ may not do what the good driver would."""
    shares = []
    for seed in seeds:
        greedy, log = load(runs / f"bcq-{seed}").greedy, Log(runs / f"log-{seed}")
        assert greedy is not None
        states = np.concatenate([log.shard(number)["before"] for number in range(len(log.paths))])
        good = torch.from_numpy(number(skilled(states)))[:, None]
        with torch.no_grad():
            shares.append(float(greedy.allowed(as_input(states)).gather(1, good).isneginf().float().mean()))
    return round(100 * float(np.mean(shares)))


def average(values: list[float]) -> float:
    """The mean, with one digit."""
    return round(float(np.mean(values)), 1)


def pendulum(runs: Path, tell: Tell) -> Result:
    """Each preset on Pendulum-v1: mean return of 20 episodes that were used for no choice."""
    found: Result = {}
    for preset in PRESETS:
        scores = []
        for seed in SEEDS["pendulum"]:
            scores.append(online(runs, PENDULUM, preset, seed, steps=STEPS)["best"]["mean"])
            tell(f"{PENDULUM}, {preset}, seed {seed}: {scores[-1]:.1f}")
        found[preset] = spread(scores)
    return {**found, "steps": STEPS, "bar": -200}


def lane(runs: Path, tell: Tell) -> Result:
    """Each learner in the lane, last and best checkpoint, beside drivers that learn nothing."""
    found: Result = {preset: trained(runs, LANE, preset, "lane", tell) for preset in PRESETS}
    for preset in PRESETS:
        found[preset]["wobbled"] = sum(wobbles(read_metrics(runs / name_of(LANE, preset, seed)))
                                       for seed in SEEDS["lane"])
    fixed = {name: round(evaluate(policy, LANE, REPORTING).metres_per_disengagement, 1)
             for name, policy in (("straight", straight), ("skilled", skilled))}
    return {**found, **fixed, "roads": len(REPORTING)}


def images(runs: Path, tell: Tell) -> Result:
    """Each learner from images, by pixels and by features; and the trap, a last layer as torch draws it."""
    found = {preset: trained(runs, IMAGE, preset, "images", tell) for preset in PRESETS}
    features = {preset: trained(runs, IMAGE, preset, "images", tell, vae=True) for preset in PRESETS}
    # torch draws a layer of 128 inputs from +-128 ** -0.5. With that, the rate for states and no squares it fails.
    trap = trained(runs / "trap", IMAGE, "td3", "images", tell, last=128**-0.5, actor_rate=1e-3, calm=0.0,
                   steps=3_000)
    return {**found, "features": features, "trap": trap}


def trained(runs: Path, env_id: str, preset: str, part: str, tell: Tell, *, vae: bool = False,
            **changes: Any) -> Result:
    """Metres per disengagement of a part's seeds, last and best checkpoint, and what was logged on the way."""
    last, best, logged = [], [], []
    for seed in SEEDS[part]:
        result = online(runs, env_id, preset, seed, vae=vae, **changes)
        last.append(result["last"]["metres_per_disengagement"])
        best.append(result["best"]["metres_per_disengagement"])
        logged.append(read_metrics(runs / name_of(env_id, preset, seed, vae)))
        tell(f"{env_id}, {preset}{' with features' if vae else ''}, seed {seed}: last {last[-1]:.0f} m, "
             f"best {best[-1]:.0f} m a disengagement")
    steps = [line["step"] for line in logged[0]]
    return {"last": spread(last, 0), "best": spread(best, 0), "count": len(last), "steps": steps[-1],
            "saturated": round(100 * float(np.mean([lines[-1].get("saturated", 0) for lines in logged]))),
            "curve": {"step": steps, "mean": [curve(lines, "mean") for lines in logged],
                      "saturated": [curve(lines, "saturated") for lines in logged]}}


def curve(lines: list[Result], name: str) -> list[float]:
    """A number of each evaluation of a run, in order."""
    return [round(float(line.get(name) or 0), 3) for line in lines]


def from_logs(runs: Path, tell: Tell) -> Result:
    """The three ways to learn from a log: what they promise, and what they drive."""
    seeds = SEEDS["offline"]
    found: Result = {method: of_method(runs, method, tell) for method in bcq.THRESHOLDS}
    few = zip(found["bcq"]["seeds"], found["bc"]["seeds"], strict=True)
    ratios = [best / copy for best, copy in few]
    ratio = {"lowest": round(min(ratios), 1), "iqm": round(found["bcq"]["iqm"] / found["bc"]["iqm"], 1)}
    held = {method: spread([metres(from_log(runs / "held", method, seed, hold=HELD)) for seed in SEEDS["held"]])
            for method in ("bcq", "bc")}
    return {**found, "elsewhere": spread(ELSEWHERE, 0),
            "held": {"steps": HELD, **held, "forbidden": forbidden(runs / "held", SEEDS["held"])},
            "ratio": ratio, "forbidden": forbidden(runs, seeds), "turn": SWITCH,
            "first": found["bcq"]["seeds"][0], "transitions": LOG["shards"] * LOG["rows"],
            "strip": {method: drawn(runs / f"{method}-0") for method in bcq.THRESHOLDS},
            "log": average([log_metres(runs / f"log-{seed}") for seed in seeds])}


def racing(runs: Path, tell: Tell, settings: bcq.Settings | None = None) -> Result:
    """CarRacing, from the images of one log: points a track of BCQ and of cloning."""
    settings, log, found = settings or bcq.Settings(), runs / "racing-log", dict[str, Result]()
    if code := logs.write_log(log, RACING_LOG, logs.DRIVES[RACING]):
        raise Stopped(code)
    for method in ("bcq", "bc"):
        scores = []
        for seed in SEEDS["racing"]:
            done = learnt(runs / f"racing-{method}-{seed}", log, RACING, method, seed, settings)
            scores.append(done["score"]["mean"])
            tell(f"{RACING}, {method}, seed {seed}: {scores[-1]:.0f} points a track")
        found[method] = spread(scores, 0)
    return {**found, "tracks": len(reporting(RACING)), "transitions": RACING_LOG["shards"] * RACING_LOG["rows"]}


def of_method(runs: Path, method: str, tell: Tell) -> Result:
    """What comes of one way to learn from a log, over all seeds."""
    results = []
    for seed in SEEDS["offline"]:
        results.append(from_log(runs, method, seed))
        tell(f"{method}, seed {seed}: {metres(results[-1]):.0f} m a disengagement")
    driven, promises = [metres(result) for result in results], [result["promised"] for result in results]
    acts = [unseen(runs / f"{method}-{seed}", Log(runs / f"log-{seed}")) for seed in SEEDS["offline"]]
    return {**spread(driven, 0 if method == "bcq" else 1),
            "promised": average(promises), "least-promised": round(min(promises), 1),
            "real": average([result["score"]["discounted"] for result in results]),
            **{name: round(float(np.mean([act[name] for act in acts]))) for name in acts[0]},
            "disengagements": average([result["score"]["disengagements"] for result in results])}


def metres(result: Result) -> float:
    """Metres per disengagement of a learning from a log."""
    return float(result["score"]["metres_per_disengagement"])


def drawn(folder: Path) -> Result:
    """A drive of a policy on the second road of the report, for the figure."""
    drive = strip.record(load(folder).policy, REPORTING[1])
    return {"along": [round(value, 1) for value in drive.along],
            "beside": [round(value, 2) for value in drive.beside], "left": drive.left}


PARTS = {"pendulum": pendulum, "offline": from_logs, "lane": lane, "images": images, "racing": racing}


def write(runs: Path, path: Path, parts: list[str], tell: Tell) -> None:
    """Run what isn't there, put the numbers of each part into results.json as soon as it is done, and draw them."""
    known(path)  # a run takes hours: what is wrong with the file has to be said before it
    for name in parts:
        found = PARTS[name](runs, tell)
        numbers = {**known(path), name: found}
        write_files(path.parent, {path.name: as_json(numbers), **figures.render(numbers)})


def known(path: Path) -> Result:
    """The numbers that results.json has. Raises HandbookError where it can't be used, or written."""
    try:
        numbers: Result = dict(json.loads(path.read_text(encoding="utf-8")).items()) if path.exists() else {}
        figures.render(numbers)
        if not os.access(path.parent, os.W_OK):
            raise OSError("its folder isn't there, or you may not write in it")
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise HandbookError("these results can't be used", where=str(path), section=SECTION,
                            why=f"{type(error).__name__}: {error}",
                            todo="name another file with --file, or remove what this one has") from None
    return numbers
