"""Reading files and data that somebody else wrote, within limits: no pipe, no bomb, no nesting without end.

Every reader raises HandbookError with the file, and the line where it is known, instead of hanging or running out of
memory. `content` and `text` of `regular_file` read files; `toml`, `json_data`, `yaml_data`, `yaml_nodes` read texts.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import yaml

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import Limits, isolated, run
from labhandbook.core.regular_file import LARGEST as LARGEST
from labhandbook.core.regular_file import content as content
from labhandbook.core.regular_file import text as text

LARGEST_DATA = 4 * 1024 * 1024  # bytes of a YAML, TOML or JSON text
DEEPEST = 60  # levels of nesting
MOST = 200_000  # values in one document, aliases followed
LONGEST_NUMBER = 400  # characters; YAML's 1:00:00 of that many parts needs time that grows with their square
DOTS = 20_000_000  # the sum of the squares of the dots on each line; Python's TOML reader takes that long for a.b.c
SECONDS = 2  # for one search with somebody else's regular expression
WRONG_FILE = "check that it is the right file"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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


class _Loader(LOADER):  # type: ignore[misc]
    """PyYAML's reader of plain data, which refuses endless numbers."""

    def construct_yaml_int(self, node: Any) -> int:
        if len(node.value) > LONGEST_NUMBER:
            raise yaml.constructor.ConstructorError(None, None, f"a number has {len(node.value)} characters",
                                                    node.start_mark)
        return int(super().construct_yaml_int(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def toml(source: str, shown: str) -> dict[str, Any]:
    """A TOML text as data. Raises Unreadable when it isn't valid or breaks the limits."""
    _size(source, shown)
    if sum(line.count(".") ** 2 for line in source.splitlines()) > DOTS:
        raise Unreadable(shown, "has keys with too many dots", why="no settings need so many", todo=WRONG_FILE)
    try:
        return tomllib.loads(source)
    except RecursionError:
        raise _deep(shown) from None
    except ValueError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise Unreadable(shown, f"is not valid TOML: {error}", int(line[1]) if line else 0,
                         section="sec-pypi-metadata") from None


def json_data(source: str | bytes, shown: str, *, written: bool = False, section: str = "sec-book-rules") -> Any:
    """A JSON text as data; `written` keeps numbers as text, as they are written.

    Raises Unreadable when it isn't valid or breaks the limits.
    """
    _size(source, shown)
    try:
        return json.loads(source, parse_float=str, parse_int=str) if written else json.loads(source)
    except RecursionError:
        raise _deep(shown) from None
    except ValueError as error:
        raise Unreadable(shown, f"is not valid JSON: {error}", getattr(error, "lineno", 0),
                         todo="write it anew or correct it", section=section) from None


def yaml_data(source: str, shown: str, *, first: int = 1, section: str = "sec-book-rules") -> Any:
    """A YAML text as plain data; `first` is the number of its first line in the file.

    Raises Unreadable when it isn't valid or breaks the limits.
    """
    return _yaml(source, shown, first, section, nodes=False)


def yaml_nodes(source: str, shown: str, *, section: str = "sec-book-rules") -> yaml.Node | None:
    """A YAML text as a tree of nodes with their lines, None for an empty one.

    No node contains itself. Raises Unreadable as `yaml_data` does.
    """
    node: yaml.Node | None = _yaml(source, shown, 1, section, nodes=True)
    return node


def _yaml(source: str, shown: str, first: int, section: str, *, nodes: bool) -> Any:
    try:
        check_yaml(source, shown)
        loader = _Loader(source)
        try:
            return loader.get_single_node() if nodes else loader.get_single_data()
        finally:
            loader.dispose()
    except (Unreadable, yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise yaml_problem(error, source, shown, first, section) from None


def yaml_problem(error: Exception, source: str, shown: str, first: int, section: str) -> Unreadable:
    """Why a YAML text can't be read, from what its parser raised; `first` is the number of its first line."""
    if isinstance(error, Unreadable):
        return Unreadable(shown, error.problem, error.line + first - 1, why=error.why, todo=error.todo,
                          section=section)
    # Besides its own errors, PyYAML lets those of Python through: for `!!bool x`, `!!timestamp x`, 2020-99-99.
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or str(error).partition("\n")[0]
    if isinstance(error, TypeError | AttributeError | LookupError):
        said = "a value doesn't fit its tag"
    # Of what is never closed, libyaml names the line after the last one.
    line = min(mark.line, source.rstrip().count("\n")) if mark else 0
    return Unreadable(shown, f"is not valid YAML: {said}", line + first, section=section,
                      todo="correct that line; the indentation or a missing colon or quote is the usual cause")


def check_yaml(source: str, shown: str) -> None:
    """Hold a YAML text against the limits on size, depth and expansion (an alias counts as all that it stands for).

    Text that isn't YAML passes: its parser says so better. Raises Unreadable with the line.
    """
    _size(source, shown)
    weights: dict[str | None, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # anchor and weight so far, from the outermost in
    try:
        for event in yaml.parse(source, Loader=LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, 1))
                if len(open_nodes) > DEEPEST:
                    raise _deep(shown, line)
                continue
            if isinstance(event, yaml.CollectionEndEvent):
                anchor, weight = open_nodes.pop()
            elif isinstance(event, yaml.ScalarEvent):
                anchor, weight = event.anchor, 1
            elif isinstance(event, yaml.AliasEvent):
                if any(event.anchor == name for name, _ in open_nodes):
                    raise Unreadable(shown, f"contains itself: *{event.anchor} is inside &{event.anchor}", line,
                                     todo="write the value out instead of the alias")
                anchor, weight = None, weights.get(event.anchor, 1)
            else:
                continue
            if anchor:
                weights[anchor] = weight
            if open_nodes:
                outer, so_far = open_nodes[-1]
                open_nodes[-1] = (outer, so_far + weight)
                if so_far + weight > MOST:
                    raise Unreadable(shown, f"stands for more than {MOST} values", line,
                                     why="aliases of aliases grow without bounds when they are followed",
                                     todo="write the values out, or remove the aliases")
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


def line_in(where: str) -> int:
    """The line in `file:line`, 0 where it has none."""
    number = where.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def _size(source: str | bytes, shown: str) -> None:
    if len(source) > LARGEST_DATA:
        raise Unreadable(shown, f"is larger than {LARGEST_DATA // 1024 ** 2} MiB",
                         why="no settings or facts need so much", todo=WRONG_FILE)


def _deep(shown: str, line: int = 0) -> Unreadable:
    return Unreadable(shown, f"is nested more than {DEEPEST} levels deep", line,
                      why="no settings or facts need so much", todo=WRONG_FILE)
