"""Reading files and data that somebody else wrote, within limits: no pipe, no bomb, no nesting without end.

Every reader raises HandbookError with the file, and the line where it is known, instead of hanging or running out of
memory. `content` and `text` of `regular_file` read files; `toml`, `json_data` and `read_yaml` of
`yaml_reader` read texts.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import Limits, isolated, run
from labhandbook.core.regular_file import LARGEST as LARGEST
from labhandbook.core.regular_file import content as content
from labhandbook.core.regular_file import text as text

LARGEST_DATA = 4 * 1024 * 1024  # bytes of a YAML, TOML or JSON text
DEEPEST = 60  # levels of nesting
DOTS = 20_000_000  # the sum of the squares of the dots on each line; Python's TOML reader takes that long for a.b.c
SECONDS = 2  # for one search with somebody else's regular expression
WRONG_FILE = "check that it is the right file"
SEARCH = """
import json, re, sys
pattern, text = json.load(sys.stdin)
try:
    found = re.search(pattern, text)
except (re.error, RecursionError, OverflowError) as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({"groups": found and [found[0], *found.groups()], "names": found and found.groupdict(),
                      "start": found and found.start()}))
"""


class Unreadable(HandbookError):
    """Data that can't be read. `problem` says why without the file's name: "is not valid YAML: ..."; `line` where."""

    def __init__(self, shown: str, problem: str, line: int = 0, *, why: str = "", todo: str = "correct that line",
                 section: str = "sec-book-rules") -> None:
        super().__init__(f"{shown} {problem}", where=f"{shown}:{line}" if line else shown, why=why, todo=todo,
                         section=section)
        self.problem = problem
        self.line = line


def toml(source: str, shown: str) -> dict[str, Any]:
    """A TOML text as data. Raises Unreadable when it isn't valid or breaks the limits."""
    check_size(source, shown)
    if sum(line.count(".") ** 2 for line in source.splitlines()) > DOTS:
        raise Unreadable(shown, "has keys with too many dots", why="no settings need so many", todo=WRONG_FILE)
    try:
        return tomllib.loads(source)
    except RecursionError:
        raise too_deep(shown) from None
    except ValueError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise Unreadable(shown, f"is not valid TOML: {error}", int(line[1]) if line else 0,
                         section="sec-pypi-metadata") from None


def json_data(source: str | bytes, shown: str, *, written: bool = False, section: str = "sec-book-rules") -> Any:
    """A JSON text as data; `written` keeps numbers as text, as they are written.

    Raises Unreadable when it isn't valid or breaks the limits.
    """
    check_size(source, shown)
    try:
        return json.loads(source, parse_float=str, parse_int=str) if written else json.loads(source)
    except RecursionError:
        raise too_deep(shown) from None
    except ValueError as error:
        raise Unreadable(shown, f"is not valid JSON: {error}", getattr(error, "lineno", 0),
                         todo="correct it, or write it again", section=section) from None


def search(pattern: str, within: str, shown: str) -> dict[str, Any] | None:
    """The first match of somebody else's regular expression: `groups` (the whole first), `names` and `start`.

    It runs in a process of its own, since some expressions need years. Raises HandbookError when it isn't valid or
    takes longer than SECONDS of processor time.
    """
    done = run(isolated("-c", SEARCH), stdin=json.dumps([pattern, within]), timeout=60,
               limits=Limits(1 << 30, SECONDS))
    if done.returncode:
        raise HandbookError(f"a pattern takes longer than {SECONDS} s: {pattern[:80]}", where=shown,
                            why="some regular expressions try exponentially many ways",
                            todo="write it without nested repetitions", section="sec-pypi-metadata")
    found: dict[str, Any] = json.loads(done.stdout)
    if "error" in found:
        raise HandbookError(f"not a regular expression: {pattern[:80]}", where=shown, why=str(found["error"]),
                            todo="correct the pattern", section="sec-pypi-metadata")
    return None if found["start"] is None else found


def line_in(where: str) -> int:
    """The line in `file:line`, 0 where it has none."""
    number = where.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def check_size(source: str | bytes, shown: str) -> None:
    """Raise Unreadable when a text is too large for settings or facts."""
    if len(source) > LARGEST_DATA:
        raise Unreadable(shown, f"is larger than {LARGEST_DATA // 1024 ** 2} MiB",
                         why="no settings or facts need so much", todo=WRONG_FILE)


def too_deep(shown: str, line: int = 0) -> Unreadable:
    """The error that data is nested too deeply."""
    return Unreadable(shown, f"is nested more than {DEEPEST} levels deep", line,
                      why="no settings or facts need so much", todo=WRONG_FILE)
