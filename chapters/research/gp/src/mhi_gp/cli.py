"""The command `mhi-gp`."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from labhandbook.runs import HandbookError, add_results, add_study, carry_out, whole_number
from mhi_gp.kernels import KERNELS, Array
from mhi_gp.regression import LARGEST, SECTION, Parameters, condition, fit
from mhi_gp.results import write_results
from mhi_gp.sampling import sample_parameters
from mhi_gp.study import study


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; the exit code. A person's mistake is shown without a traceback."""
    return carry_out(_parser(), words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mhi-gp", description="Gaussian process regression, and how sure it is.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("predict", help="learn from a CSV file, and predict at the inputs of another")
    one.add_argument("source", type=Path, help="a header, then one row for each observation; the last column is y")
    one.add_argument("new", type=Path, help="the same columns without the last")
    one.add_argument("target", type=Path, help="the CSV file to write: mean and standard deviation of each row")
    one.add_argument("--kernel", choices=list(KERNELS), default="matern-52")
    one.add_argument("--fitted", action="store_true", help="use the one best parameter vector instead of 100 samples")
    one.add_argument("--seed", type=whole_number(0), default=0)
    one.set_defaults(run=_predict)

    one = add_study(commands, "how often the 95 %% interval is right, by three ways to know parameters",
                    lambda options, folder: study(folder, seed=options.seed, tasks=options.tasks))
    one.add_argument("--tasks", type=whole_number(1), default=40,
                     help="of each size (default: 40); with more, a finished run continues")

    add_results(commands, "coverage.svg", write_results)
    return parser


def read_table(path: Path) -> Array:
    """The numbers of a CSV file with a header, as (rows, columns). Raises HandbookError for anything else.

    Empty lines don't count.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            header = next(filter(None, reader), [])
            if header and all(map(_is_number, header)):
                raise HandbookError("this file needs a header: its first row has only numbers",
                                    where=f"{path}:{reader.line_num}", section=SECTION,
                                    why="the first row is read as the names of the columns, not as numbers",
                                    todo="write a line with a name for each column above it, such as x,y")
            rows = list(filter(None, reader))
        if len({len(row) for row in rows}) > 1:
            raise ValueError("its rows have different lengths")
        table = np.array(rows, np.float64)
    except (OSError, ValueError, csv.Error) as error:
        raise HandbookError("this file holds no table of numbers", where=str(path), why=str(error), section=SECTION,
                            todo="write a header, then rows of as many numbers") from None
    if table.ndim != 2 or not (np.abs(table) < LARGEST).all():
        raise HandbookError("this file holds no table of numbers", where=str(path), section=SECTION,
                            why=f"it has no rows, or a number that is not finite or not below {LARGEST:g}",
                            todo="write a header, then rows of as many such numbers")
    return table


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _predict(options: argparse.Namespace) -> int:
    learnt, new = read_table(options.source), read_table(options.new)
    x, y = learnt[:, :-1], learnt[:, -1]
    if not x.shape[1] or new.shape[1] != x.shape[1]:
        raise HandbookError(f"the files have {x.shape[1]} and {new.shape[1]} inputs", where=str(options.new),
                            section=SECTION, why="a prediction needs the inputs that were learnt from",
                            todo="leave out the last column of the first file, and nothing else")
    low, high = x.min(axis=0), x.max(axis=0)
    width, centre, size = np.where(high - low > 1 / LARGEST, high - low, 1.0), y.mean(), y.std() or 1.0
    x, new, y, kernel = (x - low) / width, (new - low) / width, (y - centre) / size, KERNELS[options.kernel]
    if not (np.abs(new) < LARGEST).all():
        raise HandbookError("an input is too far from the others", where=str(options.new), section=SECTION,
                            why=f"it is {np.abs(new).max():.1g} times as far as they are from each other",
                            todo="check the units of that column in both files")
    thetas = [fit(kernel, x, y, seed=options.seed)] if options.fitted else list(
        sample_parameters(kernel, x, y, count=100, seed=options.seed))
    each = [(*condition(theta, kernel, x, y).predict(new), Parameters.of(theta).noise) for theta in thetas]
    means = np.array([mean for mean, _, _ in each])
    spread = np.sqrt(np.mean([sd**2 + noise**2 for _, sd, noise in each], axis=0) + means.var(axis=0))
    with options.target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["mean", "sd"])
        writer.writerows(zip(centre + size * means.mean(axis=0), size * spread, strict=True))
    print(f"{options.target} written: {len(new)} predictions")
    return 0
