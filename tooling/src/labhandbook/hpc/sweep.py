"""A sweep: its table of settings, and what its runs left, gathered into one table."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.kit_extras import kit_with
from labhandbook.core.process import TimeoutExpired, environment, run
from labhandbook.hpc.partition_limits import plural

SECTION = "sec-job-scripts-sweep"
NAME = re.compile(r"^[A-Za-z][\w.-]*$")
VALUE = re.compile(r"^[^\s\"'\\$`]+$")
SPAN = re.compile(r"^(-?\d{1,9}):(-?\d{1,9})(?::(\d{1,9}))?$")
AT_ONCE = re.compile(r"^#SBATCH --array=\S*(%\d+)$", re.MULTILINE)
HEAD = re.compile(r"^table=([\w.-]+)\.txt\neach=(\d+)$", re.MULTILINE)
MOST = 100_000  # settings of a sweep
SECONDS = 60


def _fail(what: str, todo: str, where: str = "") -> HandbookError:
    return HandbookError(what, todo=todo, where=where, section=SECTION)


def settings(grid: Iterable[str]) -> list[dict[str, str]]:
    """Every combination of the values that each `name=value,value` or `name=first:end` gives.

    `seed=0:10` are the ten numbers 0 to 9. Raises HandbookError when a text can't be read so.
    """
    axes: dict[str, list[str]] = {}
    for text in grid:
        name, equals, rest = text.partition("=")
        if not equals or not NAME.match(name) or not rest:
            raise _fail(f"{text} is no setting", "write it as lr=1e-3,1e-4 or seed=0:10")
        if name in axes:
            raise _fail(f"{name} is there twice", "give all its values in one --grid")
        span = SPAN.match(rest)
        axes[name] = ([str(number) for number in range(int(span[1]), int(span[2]), int(span[3] or 1) or 1)] if span
                      else rest.split(","))
        if wrong := [value for value in axes[name] if not VALUE.match(value)]:
            raise _fail(f'"{wrong[0]}" can\'t be a value of {name}', "use no spaces, quotes or $ in values")
        if not axes[name]:
            raise _fail(f"{text} has no values", "write the end above the beginning, as seed=0:10")
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > MOST:
        raise _fail(f"{count} settings are more than {MOST}", "try fewer values")
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def table(rows: list[dict[str, str]]) -> str:
    """The table of settings: a line of options for each run."""
    return "".join(" ".join(f"--{name} {value}" for name, value in row.items()) + "\n" for row in rows)


def packed(runs: int, most: int, asked: int) -> int:
    """How many runs one task carries out: as many as asked for, or so many that `most` tasks are enough."""
    return asked or (ceil(runs / most) if most else 1)


@dataclass(frozen=True)
class Row:
    """One run: its number, settings and state (`done`, `failed`, `running`, `missing`), why, and its result."""

    number: int
    settings: dict[str, str]
    state: str
    why: str = ""
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Collected:
    """The runs of a sweep's script; each task carries out `each` of them, `at_once` tasks at a time (as `%20`).

    `program` is what was submitted with the script.
    """

    script: Path
    each: int
    rows: list[Row]
    at_once: str = ""
    program: str = "train"

    @property
    def missing(self) -> list[int]:
        """The tasks that have runs to do."""
        return sorted({(row.number - 1) // self.each + 1 for row in self.rows if row.state in ("failed", "missing")})

    def as_csv(self) -> str:
        """One line for each run: its settings, its state, why it failed, and its result."""
        given = list(dict.fromkeys(name for row in self.rows for name in row.settings))
        results = list(dict.fromkeys(name for row in self.rows for name in row.result))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["run", *given, "state", "why", *(f"result.{name}" if name in given else name
                                                          for name in results)])
        for row in self.rows:
            writer.writerow([row.number, *(row.settings.get(name, "") for name in given), row.state, row.why,
                             *(row.result.get(name, "") for name in results)])
        return text.getvalue()

    def as_parquet(self) -> bytes:
        """The same table as Parquet, with numbers as numbers. Raises HandbookError when pyarrow is missing."""
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise _fail("pyarrow is not installed", f"write a .csv, or: {kit_with('parquet')}") from None
        # pyarrow's own reader of CSV runs a thread for signals, and a program that ends in that moment is aborted.
        names, *rows = csv.reader(io.StringIO(self.as_csv()))
        columns = [_typed(column) for column in zip(*rows, strict=True)]
        held = pyarrow.BufferOutputStream()
        parquet.write_table(pyarrow.table(columns, names=names), held)
        return bytes(held.getvalue())

    def summary(self) -> str:
        """How many runs are in which state."""
        states = Counter(row.state for row in self.rows)
        return f"{plural(len(self.rows), 'run')}: " + ", ".join(f"{count} {state}" for state, count in states.items())

    def resubmit(self) -> str:
        """The command that submits only the tasks that have runs to do."""
        return f"sbatch --array={_ranges(self.missing)}{self.at_once} {self.script.name} {self.program}"


def _ranges(numbers: list[int]) -> str:
    """`1-3,7`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def collect(script: Path) -> Collected:
    """What the runs of a sweep's script left. Raises HandbookError when it is none, or its table is not beside it."""
    text = untrusted_data.text(script, section=SECTION)
    found, at_once = HEAD.search(text), AT_ONCE.search(text)
    if not found or not int(found[2]):
        raise _fail("this is no script of a sweep", "make one with handbook job new --grid", script.as_posix())
    folder = script.parent
    lines = untrusted_data.text(folder / f"{found[1]}.txt", section=SECTION).splitlines()
    places = {number: folder / f"runs/{found[1]}-{number}" for number, line in enumerate(lines, 1) if line.strip()}
    jobs = {number: _line(place / "job") for number, place in places.items() if not (place / "done").exists()}
    states = _states({job for job in jobs.values() if job})
    rows = [_row(number, lines[number - 1], place, states.get(jobs.get(number, ""), ""))
            for number, place in places.items()]
    return Collected(script, int(found[2]), rows, at_once[1] if at_once else "",
                     _line(folder / f"runs/{found[1]}.program") or "train")


def _row(number: int, line: str, place: Path, state: str) -> Row:
    words = shlex.split(line)
    given = {name.lstrip("-"): value for name, value in zip(words[::2], words[1::2], strict=False)}
    result = _result(place / "result.json")
    if (place / "done").exists():
        return Row(number, given, "done", "", result)
    if not (place / "job").exists():
        return Row(number, given, "missing", "it has not begun")
    code, last = _line(place / "exit"), _last(place / "log.txt")
    if not code and state in ("RUNNING", "PENDING", "COMPLETING", "REQUEUED", "SUSPENDED"):
        return Row(number, given, "running", "", result)
    why = f"exit code {code}" if code else (state or "it was stopped: the time limit, its memory, or the node")
    return Row(number, given, "failed", f"{why}: {last}" if last else why, result)


def _result(path: Path) -> dict[str, Any]:
    """The numbers and words of a result, those of inner objects as `outer.inner`."""
    try:
        held = json.loads(untrusted_data.text(path)) if path.exists() else {}
    except (HandbookError, ValueError):
        return {}
    flat: dict[str, Any] = {}
    for name, value in held.items() if isinstance(held, dict) else ():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        flat |= {f"{name}.{key}" if key else name: each for key, each in inner if not isinstance(each, dict | list)}
    return flat


def _line(path: Path) -> str:
    try:
        return untrusted_data.text(path).strip() if path.exists() else ""
    except HandbookError:
        return ""


def _last(path: Path) -> str:
    lines = [line.strip() for line in _line(path).splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _states(jobs: set[str]) -> dict[str, str]:
    """The states of tasks from the accounting; nothing where there is none to ask."""
    program = shutil.which("sacct")
    if not jobs or not program:
        return {}
    arrays = ",".join(sorted({job.partition("_")[0] for job in jobs}))
    try:
        done = run([program, "-X", "-n", "-P", "-j", arrays, "-o", "JobID,State"], timeout=SECONDS,
                   env=environment(names=("SLURM_CONF", "SLURM_CLUSTERS")))
    except TimeoutExpired:
        return {}
    rows = [line.split("|") for line in done.stdout.splitlines() if line.count("|") == 1]
    return {job: state.split()[0] for job, state in rows if state}


def _typed(column: Sequence[str]) -> list[int | None] | list[float | None] | list[str]:
    """A column of a CSV file as whole numbers of 64 bits, as numbers, or as it is; an empty field is no number."""
    digits = not any("_" in text for text in column)  # which Python takes in a number, and nobody else
    for kind in (_whole, float) if digits else ():
        try:
            return [kind(text) if text else None for text in column]
        except ValueError:
            continue
    return list(column)


def _whole(text: str) -> int:
    """A whole number of 64 bits. Raises ValueError for anything else."""
    number = int(text)
    if number.bit_length() > 63:
        raise ValueError(text)
    return number
