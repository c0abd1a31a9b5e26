"""The command `mhi-eras`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from labhandbook.runs import Run, add_results, add_study, carry_out, whole_number

FINE = 0
FILES = ("v5.0/train.parquet", "v5.0/validation.parquet", "v5.0/live.parquet")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; the exit code. A person's mistake is shown without a traceback."""
    return carry_out(_parser(), words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mhi-eras", description="The Numerai tournament, from data to submission.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("synthetic", help="write a small made-up tournament: train and live")
    one.add_argument("folder", type=Path)
    one.add_argument("--seed", type=whole_number(0), default=0)
    one.set_defaults(run=_synthetic)

    one = commands.add_parser("download", help="fetch files of the current round")
    one.add_argument("folder", type=Path)
    one.add_argument("names", nargs="*", default=list(FILES), help=f"default: {' '.join(FILES)}")
    one.set_defaults(run=_download)

    one = commands.add_parser("convert", help="write a CSV file as Parquet, whatever its size")
    one.add_argument("source", type=Path)
    one.add_argument("target", type=Path)
    one.set_defaults(run=_convert)

    one = add_study(commands, "sweep over models on past eras, and score the best on later ones", _study,
                    "a sweep, with strengths drawn by chance from the second on")
    one.add_argument("source", type=Path, nargs="?", help="a Parquet file (default: a made-up one of this seed)")
    one.add_argument("--every", type=whole_number(1), default=1, help="take only every Nth era (default: all)")

    one = commands.add_parser("predict", help="predict every row of a Parquet file")
    one.add_argument("source", type=Path)
    one.add_argument("model", type=Path, help="model.npz of a finished run")
    one.add_argument("target", type=Path, help="the CSV file to write")
    one.set_defaults(run=_predict)

    one = commands.add_parser("submit", help="upload predictions for a model of your account")
    one.add_argument("file", type=Path)
    one.add_argument("model", help="the model's name on the site")
    one.set_defaults(run=_submit)

    add_results(commands, "scores.svg", _results)
    return parser


def _synthetic(options: argparse.Namespace) -> int:
    from mhi_eras.data import convert, synthetic

    synthetic(options.folder, seed=options.seed)
    for name in ("train", "live"):
        convert(options.folder / f"{name}.csv", options.folder / f"{name}.parquet")
        print(f"{options.folder / name}.parquet written")
    return FINE


def _download(options: argparse.Namespace) -> int:
    from mhi_eras.service import download

    for path in download(options.folder, options.names):
        print(f"{path} is here")
    return FINE


def _convert(options: argparse.Namespace) -> int:
    from mhi_eras.data import convert

    convert(options.source, options.target)
    print(f"{options.target} written")
    return FINE


def _study(options: argparse.Namespace, folder: Path) -> Run:
    from mhi_eras.study import study

    source = options.source or _made_up(folder, options.seed)
    return study(source, folder, seed=options.seed, every=options.every, rounds=options.rounds,
                 tell=lambda line: print(line, file=sys.stderr))


def _made_up(folder: Path, seed: int) -> Path:
    """The training file of a made-up tournament, beside the run; each of its files is there whole or not at all."""
    from mhi_eras.data import convert, synthetic

    source = folder / "data/train.parquet"
    if not source.exists():
        source.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".new-", dir=source.parent) as name:  # another process may do the same
            fresh = Path(name)
            synthetic(fresh, seed=seed)
            convert(fresh / "train.csv", fresh / source.name)
            for path in (fresh / "train.csv", fresh / "live.csv", fresh / source.name):
                path.replace(source.parent / path.name)
    return source


def _predict(options: argparse.Namespace) -> int:
    from mhi_eras.models import Fitted
    from mhi_eras.predict import predict

    count = predict(options.source, Fitted.load(options.model), options.target)
    print(f"{options.target} written: {count} predictions")
    return FINE


def _submit(options: argparse.Namespace) -> int:
    from mhi_eras.service import submit

    print(f"submitted as {submit(options.file, options.model)}")
    return FINE


def _results(runs: Sequence[Path], output: Path) -> list[Path]:
    from mhi_eras.results import write_results

    return write_results(runs, output)
