"""The command `mhi-bo`."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from labhandbook.runs import HandbookError, add_results, add_study, carry_out, whole_number
from mhi_bo.loop import SECTION, WAYS, begin
from mhi_bo.results import write_results
from mhi_bo.study import study
from mhi_gp.cli import read_table


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; the exit code. A person's mistake is shown without a traceback."""
    return carry_out(_parser(), words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mhi-bo", description="Bayesian optimisation: where to evaluate next.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("suggest", help="the next evaluation, from a CSV file of those that are done")
    one.add_argument("done", type=Path, help="a header, then a row for each evaluation; the last column is minimised")
    one.add_argument("--bounds", type=_bounds, action="append", required=True, metavar="LOW:HIGH",
                     help="of each input in the order of the columns, as --bounds=-5:10 --bounds=0:15")
    one.add_argument("--way", choices=list(WAYS), default="ei")
    one.add_argument("--seed", type=whole_number(0), default=0)
    one.set_defaults(run=_suggest)

    add_study(commands, "two ways to search and three traps, on functions with known minima",
              lambda options, folder: study(folder, seed=options.seed, rounds=options.rounds),
              "as many evaluations of each search as the one before")

    add_results(commands, "regret.svg", write_results)
    return parser


def _bounds(text: str) -> tuple[float, float]:
    low, _, high = text.partition(":")
    try:
        return float(low), float(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]} is not two numbers, as -5:10") from None


def _suggest(options: argparse.Namespace) -> int:
    (*names, _), table = read_table(options.done, SECTION)
    low, high = np.array(options.bounds).T
    search = begin(low, high, options.seed)
    if len(names) != len(search.low):
        raise HandbookError(f"columns of inputs: {len(names)}, but --bounds: {len(search.low)}",
                            where=str(options.done), section=SECTION,
                            why="each input has bounds, and the last column has the values",
                            todo="give --bounds once for each column but the last")
    for *x, value in table:
        search = search.add(np.array(x), value)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerow([f"{value:.6g}" for value in search.next(options.way)])
    return 0
