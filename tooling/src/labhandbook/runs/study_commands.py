"""The commands that projects with one run a seed share, `study` and `results`, and errors as people read them."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.last_handler import explain
from labhandbook.core.terminal import show_error
from labhandbook.runs.run import Run
from labhandbook.runs.values import SECTION

FINE, COULD_NOT_RUN = 0, 2
INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 128 + signal.SIGPIPE  # what a shell reports of a program whose output nobody reads
LARGEST = 10**9


def carry_out(parser: argparse.ArgumentParser, words: Sequence[str] | None) -> int:
    """Run the function that the words' command has set as `run`; the exit code. An error is shown, no traceback."""
    for word in sys.argv[1:] if words is None else words:
        if word.startswith("--") and word.endswith("=--"):  # which argparse reads as no value at all
            parser.error(f"{word}: -- is not a value")
    options = parser.parse_args(words)
    if "run_dir" in options and options.run_dir is None:
        options.run_dir = Path(os.environ.get("RUN_DIR") or default_run_dir(parser.prog, options.seed))
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads the output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except HandbookError as error:
        show_error(error)
        return COULD_NOT_RUN
    except Exception as error:
        if (known := explain(error)) is None:
            raise
        known.section = f"sec-{parser.prog.removeprefix('mhi-')}-run"
        show_error(known)
        return COULD_NOT_RUN
    return code


def whole_number(least: int) -> Callable[[str], int]:
    """What argparse takes as `type` for a whole number from `least` to 10**9; other words end the command."""
    def convert(word: str) -> int:
        try:
            number = int(word)
        except ValueError:
            number = least - 1
        if not least <= number <= LARGEST:
            raise argparse.ArgumentTypeError(f"{word[:40]} is not a whole number from {least} to {LARGEST}")
        return number

    return convert


def add_run(command: argparse.ArgumentParser) -> None:
    """The options of a command that works in a run's directory: its seed, and which directory."""
    command.add_argument("--seed", type=whole_number(0), default=0)
    command.add_argument("--run-dir", type=Path,
                         help=f"the run's directory (default: RUN_DIR, or {default_run_dir(command.prog, 'SEED')})")


def default_run_dir(prog: str, seed: object) -> str:
    """Where a program keeps a run when nobody says where; arrays of Slurm's jobs use the same names."""
    return f"runs/{prog.split()[0].replace('-', '_')}-seed-{seed}"


def add_study(commands: Any, text: str, study: Callable[[argparse.Namespace, Path], Run],
              a_round: str = "") -> argparse.ArgumentParser:
    """The command `study`: one seed in a run's directory, its result printed; what it returns takes more options.

    `commands` is what `add_subparsers` returned; `study` gets the options and the run's directory. Where a study can
    be prolonged by rounds, `a_round` says what one is, and the options have their number as `rounds`.
    """
    def work(options: argparse.Namespace) -> int:
        run = study(options, options.run_dir)
        if run.result:
            print(json.dumps(run.result, indent=2))
        return run.exit_code

    one: argparse.ArgumentParser = commands.add_parser("study", help=text)
    add_run(one)
    if a_round:
        one.add_argument("--rounds", type=whole_number(1), default=1,
                         help=f"in all, each {a_round} (default: 1); with more, a finished run continues")
    one.set_defaults(run=work)
    return one


def add_results(commands: Any, figure: str, write: Callable[[Sequence[Path], Path], list[Path]]) -> None:
    """The command `results`: `write` gathers finished runs into `results.json` and a figure in a folder."""
    def work(options: argparse.Namespace) -> int:
        try:
            paths = write(options.runs, options.output)
        except (KeyError, TypeError, ValueError) as error:
            raise HandbookError("a result.json is not what this study writes", section=SECTION,
                                why=f"{type(error).__name__}: {error}",
                                todo="name finished runs of this version, or run the study again") from None
        for path in paths:
            print(f"{path} written")
        return FINE

    one = commands.add_parser("results", help=f"gather finished runs into results.json and {figure}")
    one.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    one.add_argument("--output", type=Path, default=Path(), help="the folder to write to (default: this one)")
    one.set_defaults(run=work)
