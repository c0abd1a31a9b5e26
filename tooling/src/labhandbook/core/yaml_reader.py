"""YAML with the place of every key and value, in the words of YAML 1.2: `on`, `no` and `1:30` are text.

libyaml parses and composes: it needs 7 ms for a file for which ruamel.yaml's pure Python needs 80 to 155 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from labhandbook.core.untrusted_data import DEEPEST, Unreadable, check_size, too_deep

Held = str | dict[str, "Value"] | list["Value"] | None

MOST = 200_000  # values in one document, aliases followed
LONGEST_NUMBER = 400  # characters; Python needs a time for longer ones that grows with their square
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # for its events alone
PLAIN = "plain"  # the tag of a scalar without quotes and without a tag of its own
PREFIX = "tag:yaml.org,2002:"
# The core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema).
WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
NULLS = {"", "~", "null", "Null", "NULL"}
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Value:
    """A value and its place. A missing value is a value too: it is empty and false.

    `held` is the text of a scalar, a mapping, a list, or None for null. `line` counts from 1; `start` and `stop` are
    the positions of a scalar's first character and of the one behind its last. `style` is how a scalar is written:
    `"`, `'`, `|`, `>`, or empty for a plain one. `comment` is what follows `#` on the line of a scalar. `keys` are
    the lines of a mapping's keys; `repeated` the lines of keys that occur again, of which the last one counts.
    """

    held: Held = None
    line: int = 0
    start: int = 0
    stop: int = 0
    style: str = ""
    tag: str = PLAIN
    comment: str = ""
    keys: dict[str, int] = field(default_factory=dict)
    repeated: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.held is not None

    def __getitem__(self, key: str) -> Value:
        """The value of a key; an empty one on this value's line when there is none."""
        return self.map.get(key) or Value(line=self.line)

    def at(self, key: str) -> int:
        """The line of a key; that of this value when the key is missing."""
        return self.keys.get(key, self.line)

    @property
    def text(self) -> str:
        """The text of a scalar as written, else empty."""
        return self.held if isinstance(self.held, str) else ""

    @property
    def word(self) -> str:
        """The text of a scalar in lower case, without blanks around it."""
        return self.text.strip().lower()

    @property
    def map(self) -> dict[str, Value]:
        """The values of a mapping by their keys, else nothing."""
        return self.held if isinstance(self.held, dict) else {}

    @property
    def items(self) -> list[Value]:
        """The values of a list, else nothing."""
        return self.held if isinstance(self.held, list) else []

    @property
    def words(self) -> list[Value]:
        """The scalars of a list, or the single scalar that is written instead of a list."""
        return [item for item in self.items if item.text] or ([self] if self.text else [])

    @property
    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines of a text with their numbers; shell lines that end with a backslash are one."""
        begun, number = "", 0
        for count, line in enumerate(self.text.splitlines()):
            number = number or self.line + count + (self.style in ("|", ">"))
            if line.rstrip().endswith("\\"):
                begun += line.rstrip()[:-1] + " "
                continue
            yield number, begun + line
            begun, number = "", 0
        if begun:
            yield number, begun

    def scalars(self) -> Iterator[Value]:
        """Every scalar below this value."""
        if isinstance(self.held, str):
            yield self
        for value in [*self.map.values(), *self.items]:
            yield from value.scalars()

    @cached_property
    def data(self) -> Any:
        """The same as plain Python data: numbers, booleans, None, text, lists and dictionaries."""
        if isinstance(self.held, dict):
            return {key: value.data for key, value in self.held.items()}
        if isinstance(self.held, list):
            return [value.data for value in self.held]
        return self.held if self.held is None or self.tag != PLAIN else plain(self.held)


def plain(text: str) -> Any:
    """What a scalar without quotes means."""
    if text in NULLS:
        return None
    if text in WORDS:
        return WORDS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if INTEGER.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if FLOAT.fullmatch(text):
        return float(text.replace(".", "", 1) if text[-1] in "fFnN" else text)
    return text


def read_yaml(source: str, shown: str, *, first: int = 1, section: str = "sec-book-rules") -> Value:
    """The value of a YAML text; an empty one when there is nothing in it. `first` is the number of its first line.

    Raises Unreadable when the text isn't YAML or breaks the limits on size, depth and aliases.
    """
    try:
        check_yaml(source, shown)
        loader = _Composer(source)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except (Unreadable, yaml.YAMLError, ValueError) as error:
        raise _problem(error, source, shown, first, section) from None
    return _Converter(source.splitlines(), first).value(node) if node is not None else Value(line=first)


def check_yaml(source: str, shown: str) -> None:
    """Check a YAML text's size, depth and expansion: an alias counts as everything that it repeats.

    Text that isn't YAML passes: its parser reports it better. Raises Unreadable with the line.
    """
    check_size(source, shown)
    weights: dict[str | None, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # anchor and weight so far, from the outermost in
    try:
        for event in yaml.parse(source, Loader=LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, 1))
                if len(open_nodes) > DEEPEST:
                    raise too_deep(shown, line)
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
                    raise Unreadable(shown, f"means more than {MOST} values with its aliases", line,
                                     why="aliases of aliases grow without bounds when they are followed",
                                     todo="write the values out, or remove the aliases")
    except (yaml.YAMLError, ValueError):
        return


def _problem(error: Exception, source: str, shown: str, first: int, section: str) -> Unreadable:
    """Why a YAML text can't be read, from what its parser raised; `first` is the number of its first line."""
    if isinstance(error, Unreadable):
        return Unreadable(shown, error.problem, error.line and error.line + first - 1, why=error.why, todo=error.todo,
                          section=section)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or str(error).partition("\n")[0]
    # Of what is never closed, libyaml names the line after the last one.
    line = min(mark.line, source.rstrip().count("\n")) if mark else 0
    return Unreadable(shown, f"is not valid YAML: {said}", line + first, section=section,
                      todo="correct that line; the indentation or a missing colon or quote is the usual cause")


if yaml.__with_libyaml__:
    _Base: Any = getattr(yaml.cyaml, "CParser")  # noqa: B009 - its type stubs do not export it
else:
    class _PurePython(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser, yaml.composer.Composer):
        def __init__(self, stream: str) -> None:
            yaml.reader.Reader.__init__(self, stream)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)
            yaml.composer.Composer.__init__(self)

    _Base = _PurePython


class _Composer(_Base):  # type: ignore[misc]
    """Makes nodes whose tags say only what is written: the meaning of a plain scalar is found when it is needed."""

    def resolve(self, kind: type, value: str | None, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return PLAIN if implicit[0] else f"{PREFIX}str"
        return PREFIX + ("seq" if kind is yaml.SequenceNode else "map")

    def descend_resolver(self, parent: Any, index: Any) -> None:
        """Nothing depends on the path of a node."""

    def ascend_resolver(self) -> None:
        """Nothing depends on the path of a node."""


class _Converter:
    """Turns nodes into values; a node that aliases share is converted once."""

    def __init__(self, lines: list[str], first: int) -> None:
        self._lines, self._first = lines, first
        self._made: dict[int, Value] = {}

    def value(self, node: yaml.Node) -> Value:
        made = self._made.get(id(node))
        if made is None:
            made = self._made[id(node)] = self._convert(node)
        return made

    def _convert(self, node: yaml.Node) -> Value:
        line = node.start_mark.line + self._first
        start, stop = node.start_mark.index, node.end_mark.index
        if isinstance(node, yaml.MappingNode):
            held: dict[str, Value] = {}
            keys: dict[str, int] = {}
            repeated: dict[str, int] = {}
            for key, value in node.value:
                name, number = str(key.value), key.start_mark.line + self._first
                if name in held:
                    repeated[name] = number
                held[name], keys[name] = self.value(value), number
            return Value(held, line, start, stop, tag=node.tag, keys=keys, repeated=repeated)
        if isinstance(node, yaml.SequenceNode):
            return Value([self.value(item) for item in node.value], line, start, stop, tag=node.tag)
        assert isinstance(node, yaml.ScalarNode)
        style = node.style or ""
        if node.tag == f"{PREFIX}null" or (node.tag == PLAIN and not style and node.value in NULLS):
            return Value(None, line, start, stop)
        return Value(str(node.value), line, start, stop, style, node.tag, self._comment(node, style))

    def _comment(self, node: yaml.Node, style: str) -> str:
        end = node.end_mark
        if style in ("|", ">") or end.line >= len(self._lines):
            return ""
        return self._lines[end.line][end.column:].partition("#")[2].strip()
