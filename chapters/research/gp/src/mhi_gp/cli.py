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


def read_table(path: Path, section: str = SECTION) -> tuple[list[str], Array]:
    """The names in the header of a CSV file, and its numbers as (rows, columns). The file is read once.

    Rows of only blank cells don't count. Raises HandbookError, with this section of the handbook, for anything else
    than a header and rows of as many numbers.
    """
    def wrong(what: str, line: int = 0, why: str = "",
              todo: str = "write a header, then rows of as many numbers") -> HandbookError:
        return HandbookError(what, where=f"{path}:{line}" if line else str(path), why=why, todo=todo, section=section)

    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except (OSError, ValueError, csv.Error) as error:
        raise wrong("this file can't be read as a table", why=str(error)) from None
    (line, names), *rest = rows or [(0, [])]
    if any(_number(cell) is not None for cell in names):
        raise wrong("this file needs a header: its first row has a number", line,
                    "the first row is read as the names of the columns, not as numbers",
                    "write a line with a name for each column above it, such as x,y; a name is no number")
    if not rest:
        raise wrong("this file has no rows of numbers")
    for line, row in rest:
        if len(row) != len(names):
            raise wrong(f"the number of cells differs: {len(row)} in this row, {len(names)} in the header", line)
        for place, cell in enumerate(row):
            number = _number(cell)
            if number is None or not abs(number) < LARGEST:
                raise wrong(f"column {names[place] or place + 1} has {cell[:40]!r}, which is no number here", line,
                            f"a number is finite, and below {LARGEST:g} in size")
    return names, np.array([row for _, row in rest], np.float64)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _predict(options: argparse.Namespace) -> int:
    learnt, new = (read_table(path)[1] for path in (options.source, options.new))
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
