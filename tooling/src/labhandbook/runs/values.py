"""Numbers and JSON values of a run: what may be written, and how files are read."""

from __future__ import annotations

import contextlib
import json
import math
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError

SECTION = "sec-runs-directory"
LARGEST_STEP = 10**15


def plain(value: Any) -> Any:
    """A value as JSON knows it. Raises TypeError for a value that JSON does not have.

    NumPy and torch values become numbers and lists. JSON has no NaN and no infinity: they become null.
    """
    for convert in ("tolist", "item"):
        if hasattr(value, convert):
            value = getattr(value, convert)()
            break
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} is no JSON value")


def as_json(values: Mapping[str, Any]) -> str:
    """JSON for people: two spaces a level."""
    return json.dumps(plain(values), indent=2, allow_nan=False) + "\n"


def is_step(value: object) -> bool:
    """Whether this is a step: a whole number from 0, small enough for a name of a folder."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_STEP


def whole(step: Any, name: str = "step") -> int:
    """A step as an int. Raises HandbookError when it is none."""
    number = plain(step)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not is_step(number):
        # Python refuses to print a number of more than 4,300 digits.
        shown = "very long" if isinstance(number, int) and abs(number) > 10**40 else str(step)[:40]
        raise HandbookError(f"{name} is {shown}, which is not a whole number from 0 to {LARGEST_STEP}",
                            section=SECTION, why="checkpoints and metrics are sorted by their step",
                            todo="number the steps of the run 0, 1, 2 and so on")
    return int(number)


def read_object(path: Path, data: bytes | None = None, where: str = "") -> dict[str, Any]:
    """A JSON object from a file of a run, or from `data` of it. Raises ValueError when it is none."""
    try:
        values = json.loads(regular(path) if data is None else data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    found: dict[str, Any] = plain(values)
    return found


def regular(path: Path) -> bytes:
    """The bytes of a file. Raises HandbookError for a folder, a pipe, a link to nothing, and without permission."""
    with reported(f"{path.name} can't be read", path, todo="restore it, or use another directory for this run"):
        # Without O_NONBLOCK, opening a named pipe waits for somebody who writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(0, "it is no regular file", str(path))
            return stream.read()


def check_place(path: Path, *, folder: bool = False) -> None:
    """Raises HandbookError where something else than a file (a folder, with `folder`) has this name."""
    if os.path.lexists(path) and not (path.is_dir() if folder else path.is_file()):
        kind = "a link to nothing" if path.is_symlink() and not path.exists() else "something else"
        raise HandbookError(f"{path.name} should be {'a folder' if folder else 'a file'}, but it is {kind}",
                            where=str(path), why="the run keeps its data there", section=SECTION,
                            todo="remove it, or use another directory for this run")


@contextlib.contextmanager
def reported(what: str, path: Path, *, why: str = "",
             todo: str = "make room and check the permissions, then start again") -> Iterator[None]:
    """Turn an error of the operating system into one message."""
    try:
        yield
    except OSError as error:
        raise HandbookError(f"{what}: {error.strerror or error}", where=str(error.filename or path), why=why,
                            todo=todo, section=SECTION) from None


def say(line: str) -> None:
    """Tell the person at the terminal something that does not stop the run."""
    print(f"warning: {line}", file=sys.stderr, flush=True)
