"""Reading files and data that somebody else wrote, within limits: no pipe, no bomb, no nesting without end.

Every reader raises HandbookError with the file, and the line where it is known, instead of hanging or running out of
memory. `text` and `data` read files; `check_yaml` holds a YAML text against the limits before a parser builds it.
"""

from __future__ import annotations

import json
import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import yaml

from labhandbook.core.process import Limits, isolated, run
from labhandbook.errors import HandbookError

LARGEST = 16 * 1024 * 1024  # bytes of a file that is read as text
LARGEST_DATA = 4 * 1024 * 1024  # bytes of a YAML, TOML or JSON text
DEEPEST = 60  # levels of nesting
MOST = 200_000  # values in one document, aliases followed
SECONDS = 2  # for one search with somebody else's regular expression
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


def content(path: Path, shown: str = "", *, largest: int = LARGEST) -> bytes:
    """The bytes of a regular file of at most `largest` bytes; `shown` is its name in messages.

    Raises HandbookError for a folder, a named pipe, a device, a file that is too large or can't be read.
    """
    where = shown or str(path)
    try:
        # Without O_NONBLOCK, opening a named pipe waits for somebody who writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            mode = os.fstat(handle).st_mode
            if not stat.S_ISREG(mode):
                kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
                raise HandbookError(f"{where} is {kind}, not a file", where=where, todo="name a regular file",
                                    section="sec-book-rules")
            data = stream.read(largest + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise HandbookError(f"{where} can't be read: {reason}", where=where,
                            todo="check its name and its permissions", section="sec-book-rules") from None
    if len(data) > largest:
        raise HandbookError(f"{where} is larger than {largest // 1024 ** 2} MiB", where=where,
                            why="no file of this kind needs so much", todo="check that it is the right file",
                            section="sec-book-rules")
    return data


def text(path: Path, shown: str = "", *, largest: int = LARGEST) -> str:
    """The UTF-8 text of a file, with or without a byte order mark. Raises HandbookError as `content` does."""
    data = content(path, shown, largest=largest)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise HandbookError(f"{shown or path} is not UTF-8 text", where=f"{shown or path}:{line}",
                            why=error.reason, todo="save it as UTF-8", section="sec-book-rules") from None


def toml(source: str, shown: str) -> dict[str, Any]:
    """A TOML text as data. Raises HandbookError when it isn't valid or breaks the limits."""
    _size(source, shown)
    try:
        return tomllib.loads(source)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise HandbookError(f"{shown} is not valid TOML: {error}", where=shown, todo="correct that line",
                            section="sec-pypi-metadata") from None
    except RecursionError:
        raise _deep(shown) from None


def json_data(source: str | bytes, shown: str) -> Any:
    """A JSON text as data. Raises HandbookError when it isn't valid or breaks the limits."""
    _size(source, shown)
    try:
        return json.loads(source)
    except ValueError as error:
        raise HandbookError(f"{shown} is not valid JSON: {error}", where=shown, todo="make it anew or correct it",
                            section="sec-book-rules") from None
    except RecursionError:
        raise _deep(shown) from None


def check_yaml(source: str, shown: str) -> None:
    """Hold a YAML text against the limits on size, depth and expansion (an alias counts as all that it stands for).

    Text that isn't YAML passes: its parser says so better. Raises HandbookError with file and line.
    """
    _size(source, shown)
    weights: dict[str | None, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # anchor and weight so far, from the outermost in
    try:
        for event in yaml.parse(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, 1))
                if len(open_nodes) > DEEPEST:
                    raise _deep(f"{shown}:{line}")
                continue
            if isinstance(event, yaml.CollectionEndEvent):
                anchor, weight = open_nodes.pop()
            elif isinstance(event, yaml.ScalarEvent):
                anchor, weight = event.anchor, 1
            elif isinstance(event, yaml.AliasEvent):
                anchor, weight = None, weights.get(event.anchor, 1)
            else:
                continue
            if anchor:
                weights[anchor] = weight
            if open_nodes:
                outer, so_far = open_nodes[-1]
                open_nodes[-1] = (outer, so_far + weight)
                if so_far + weight > MOST:
                    raise HandbookError(f"{shown} stands for more than {MOST} values", where=f"{shown}:{line}",
                                        why="aliases of aliases grow without bounds when they are followed",
                                        todo="write the values out, or remove the aliases", section="sec-book-rules")
    except (yaml.YAMLError, ValueError):
        return


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


def _size(source: str | bytes, shown: str) -> None:
    if len(source) > LARGEST_DATA:
        raise HandbookError(f"{shown} is larger than {LARGEST_DATA // 1024 ** 2} MiB", where=shown,
                            why="no settings or facts need so much", todo="check that it is the right file",
                            section="sec-book-rules")


def _deep(where: str) -> HandbookError:
    return HandbookError(f"{where.partition(':')[0]} is nested more than {DEEPEST} levels deep", where=where,
                         why="no settings or facts need so much", todo="check that it is the right file",
                         section="sec-book-rules")
