"""The command `mhi-driving`: train, log, offline, evaluate, export, strip, film, results."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from labhandbook.runs import HandbookError, Run, add_run, carry_out, whole_number
from mhi_driving import bcq, experiments, logs, strip
from mhi_driving.drive import LANES, REPORTING, SECTION, Score, check, evaluate, reporting, same, starts
from mhi_driving.lane import SIDE
from mhi_driving.logs import Log
from mhi_driving.policies import described, features_of, fits, load
from mhi_driving.train import PRESETS, params, settings_for, train

FINE = 0
RACING, FILMS = "mhi/CarRacing-v0", (".webp", ".gif", ".png")


def run_train(given: argparse.Namespace) -> int:
    """Learn by driving."""
    seen, _ = check(given.env)
    changes = begun(given.run_dir, "beta_steps") if given.preset == "d4pg" else {}
    changes |= {"steps": given.steps} if given.steps else {}
    if given.processes and given.preset != "d4pg":
        raise HandbookError(f"{given.preset} has one actor and needs no processes", section=SECTION,
                            todo="leave out --processes, or take --preset d4pg")
    changes |= {"processes": True} if given.processes else {}
    if given.vae and seen != (1, SIDE, SIDE):
        raise HandbookError(f"the autoencoder takes images of the lane, and {given.env} has observations of {seen}",
                            section=SECTION, why="it learns from drives that were logged in the lane",
                            todo="leave out --vae, or use --env mhi/LaneImage-v0")
    settings = settings_for(given.preset, given.env, **changes)
    with Run.open(given.run_dir, params(given.env, settings, given.seed, given.vae), settings.steps,
                  ("--steps", settings.steps)) as run:
        def tell(step: int, score: Score) -> None:
            ends = f", {score.disengagements} disengagements" if given.env in LANES else ""
            print(f"step {step} of {settings.steps}: {score.mean:.1f} an episode{ends}", flush=True)

        if not run.finished:
            features = features_of(run.folder, given.seed) if given.vae else same
            train(run, given.env, settings, given.seed, features, tell)
        return ended(run)


def run_log(given: argparse.Namespace) -> int:
    """Log drivers that take turns."""
    check(given.env)
    what = {"env": given.env, "shards": given.shards, "rows": given.rows, "seed": given.seed}
    return logs.write_log(given.folder, what, logs.DRIVES[given.env],
                          lambda shard: print(f"shard {shard} of {given.shards}", flush=True))


def run_offline(given: argparse.Namespace) -> int:
    """Learn from a log."""
    log, env_id = Log(given.log), str(described(given.log).get("env"))
    if env_id not in logs.DRIVES:
        raise HandbookError("this log does not say in which environment it was driven", section=SECTION,
                            where=str(given.log / "params.json"), todo="write it again with mhi-driving log")
    seen, _ = check(env_id)
    if log.type["before"].shape != seen:
        raise HandbookError(f"this log has observations of {log.type['before'].shape} and {env_id} has {seen}",
                            where=str(given.log), section=SECTION, why="its shards are from another environment",
                            todo="write the log again in an empty folder")
    settings = bcq.Settings(epochs=given.epochs, **{"fall": given.epochs, **begun(given.run_dir, "fall")})
    given_params = bcq.params(given.log, env_id, given.method, settings, given.seed)
    with Run.open(given.run_dir, given_params, settings.epochs, ("--epochs", settings.epochs)) as run:
        def tell(epoch: int, numbers: dict[str, float]) -> None:
            print(f"pass {epoch} of {settings.epochs}: Q {numbers['q']:.1f}", flush=True)

        bcq.learn(run, log, env_id, given.method, settings, given.seed, tell)
        return ended(run)


def begun(folder: Path, name: str) -> dict[str, Any]:
    """A schedule that a run was begun with: asking for more steps must not change it.

    Where it is no number, `Run.open` says that the parameters differ.
    """
    said = described(folder).get(name)
    return {name: said} if isinstance(said, int) and said > 0 else {}


def ended(run: Run) -> int:
    """Say how far a run has come; its exit code."""
    if run.result is not None:
        print(f"ended well: {run.folder / 'result.json'}")
    else:
        print("stopped; the same command continues")
    return run.exit_code


def run_evaluate(given: argparse.Namespace) -> int:
    """Evaluate on roads that were used for no choice."""
    saved = load(given.run_dir)
    env_id = given.env or saved.env_id
    fits(saved, env_id, given.run_dir)
    seeds = reporting(env_id)
    if given.roads:
        seeds = range(REPORTING.start, REPORTING.start + given.roads)
    score = evaluate(saved.policy, env_id, seeds)
    if given.format == "json":
        print(json.dumps(score.as_json(), indent=2))
    else:
        lane = f"; {score.disengagements} disengagements, one each {score.metres_per_disengagement:.1f} m"
        print(f"{score.mean:.1f} an episode over {len(seeds)}{lane if env_id in LANES else ''}")
    return FINE


def run_export(given: argparse.Namespace) -> int:
    """Write the policy as an ONNX file."""
    saved = load(given.run_dir)
    if saved.greedy is None:
        raise HandbookError("this run holds no policy of a log", where=str(given.run_dir), section=SECTION,
                            why="only policies with a threshold have something to get wrong",
                            todo="name a run of mhi-driving offline")
    try:
        from mhi_driving.export import export
        seeds = range(256 if saved.env_id in LANES else 16)  # to make a track takes long
        compared = export(saved.greedy, starts(saved.env_id, seeds), given.file)
    except ImportError as error:
        raise HandbookError(f"{error.name} is not installed", section=SECTION,
                            todo="install the extra onnx: python3 -m pip install 'mhi-driving[onnx]'") from None
    print(f"{given.file}: the same actions on {compared} observations")
    return FINE


def run_strip(given: argparse.Namespace) -> int:
    """Draw the drives of some runs on one road."""
    drives = {}
    for folder in given.runs:
        saved = load(folder)
        if saved.env_id not in LANES:
            raise HandbookError(f"a policy of {saved.env_id} can't drive on a lane", where=str(folder),
                                section=SECTION, todo=f"name runs in {' or '.join(LANES)}")
        drives[folder.name] = strip.record(saved.policy, given.road, LANES[saved.env_id])
    given.file.write_text(strip.draw(drives, f"Road {given.road}, {len(drives)} drives"), encoding="utf-8")
    print(given.file)
    return FINE


def run_film(given: argparse.Namespace) -> int:
    """Film a drive on CarRacing."""
    if given.file.suffix not in FILMS:
        raise HandbookError(f"{given.file} is no kind of film", section=SECTION,
                            todo="end the name in .webp or .gif for a video, in .png for six pictures")
    saved = load(given.run_dir)
    if saved.env_id != RACING:
        raise HandbookError(f"a policy of {saved.env_id} can't be filmed on CarRacing", where=str(given.run_dir),
                            section=SECTION, todo="for a lane, use mhi-driving strip")
    from mhi_driving import film  # the extra `carracing`, which `load` has found
    pictures = film.record(saved.policy, given.track)
    film.save(pictures, given.file)
    print(f"{given.file}: {len(pictures)} pictures of a drive on track {given.track}")
    return FINE


def run_results(given: argparse.Namespace) -> int:
    """Run what is behind the page, and write its numbers."""
    try:
        experiments.write(given.runs, given.file, given.part or list(experiments.PARTS),
                          lambda line: print(line, flush=True))
    except experiments.Stopped as stopped:
        print("stopped; the same command continues")
        return stopped.code
    return FINE


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="mhi-driving", description="Learn to keep a lane.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, do: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=do.__doc__, description=do.__doc__)
        added.set_defaults(run=do)
        return added

    added = command("train", run_train)
    added.add_argument("--preset", choices=PRESETS, default="td3")
    added.add_argument("--env", default="mhi/Lane-v0", help="a Gymnasium environment with continuous actions")
    added.add_argument("--steps", type=whole_number(1),
                       help="steps of all actors together; with more, a finished run continues")
    added.add_argument("--processes", action="store_true", help="a process for each actor")
    added.add_argument("--vae", action="store_true", help="learn from features of a variational autoencoder")
    add_run(added)
    added = command("log", run_log)
    added.add_argument("folder", type=Path)
    added.add_argument("--env", choices=logs.DRIVES, default="mhi/Lane-v0")
    added.add_argument("--shards", type=whole_number(1), default=30)
    added.add_argument("--rows", type=whole_number(1), default=2_000, help="transitions in a shard")
    added.add_argument("--seed", type=whole_number(0), default=0)
    added = command("offline", run_offline)
    added.add_argument("log", type=Path)
    added.add_argument("--method", choices=bcq.THRESHOLDS, default="bcq")
    added.add_argument("--epochs", type=whole_number(1), default=bcq.Settings.epochs,
                       help="passes over the log; with more, a finished run continues")
    add_run(added)
    added = command("evaluate", run_evaluate)
    added.add_argument("run_dir", type=Path)
    added.add_argument("--env", help="another environment than the one it was learnt in")
    added.add_argument("--roads", type=whole_number(1), help="episodes; by default 20, and 5 on CarRacing")
    added.add_argument("--format", choices=("text", "json"), default="text")
    added = command("export", run_export)
    added.add_argument("run_dir", type=Path)
    added.add_argument("file", type=Path)
    added = command("strip", run_strip)
    added.add_argument("file", type=Path)
    added.add_argument("runs", type=Path, nargs="+")
    added.add_argument("--road", type=whole_number(0), default=REPORTING.start)
    added = command("film", run_film)
    added.add_argument("run_dir", type=Path)
    added.add_argument("file", type=Path, help="a video (.webp, .gif), or six pictures (.png)")
    added.add_argument("--track", type=whole_number(0), default=REPORTING.start)
    added = command("results", run_results)
    added.add_argument("--runs", type=Path, default=Path("runs"))
    added.add_argument("--file", type=Path, default=Path("results.json"))
    added.add_argument("--part", choices=experiments.PARTS, action="append")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; the exit code. A person's mistake is shown without a traceback."""
    torch.set_num_threads(1)
    return carry_out(build_parser(), words)


if __name__ == "__main__":
    sys.exit(main())
