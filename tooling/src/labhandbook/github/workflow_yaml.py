"""YAML with the line of every value, as a workflow needs it: `on` is a word here, and not the boolean of YAML 1.1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from labhandbook.core import untrusted_data

Held = str | dict[str, "Value"] | list["Value"] | None


class Unreadable(Exception):
    """A text is no YAML; `line` counts from 1."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True)
class Value:
    """A value and its line, counted from 1. What isn't there is a value too: it is empty and false.

    `held` is the text of a scalar, a mapping, a list, or None. `block` marks a text that begins on the line below,
    as after `run: |`. `comment` is what stands behind `#` on the line of a plain scalar.
    """

    held: Held = None
    line: int = 0
    block: bool = False
    comment: str = ""
    keys: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.held is not None

    def __getitem__(self, key: str) -> Value:
        """The value of a key; an empty one on this value's line when there is none."""
        return self.map.get(key) or Value(line=self.line)

    def at(self, key: str) -> int:
        """The line on which a key stands; that of this value when it isn't there."""
        return self.keys.get(key, self.line)

    @property
    def text(self) -> str:
        """The text of a scalar, else empty."""
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
        """The scalars of a list, or the one that stands in its place."""
        return [item for item in self.items if item.text] or ([self] if self.text else [])

    @property
    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines of a text with their numbers; shell lines that end with a backslash are one."""
        begun, number = "", 0
        for count, line in enumerate(self.text.splitlines()):
            number = number or self.line + count + self.block
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


def read_yaml(text: str) -> Value:
    """The value of a YAML text.

    Raises Unreadable when it isn't YAML, or breaks the limits of `core.foreign`.
    """
    try:
        node = untrusted_data.yaml_nodes(text, "it")
    except untrusted_data.Unreadable as error:
        raise Unreadable(error.what, error.line or 1) from None
    return _value(node, text.splitlines()) if node is not None else Value(line=1)


def _value(node: yaml.Node, lines: list[str]) -> Value:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        held, keys = {}, {}
        for key, value in node.value:
            name = str(key.value)
            held[name], keys[name] = _value(value, lines), key.start_mark.line + 1
        # An empty mapping, as in `permissions: {}`, says something; a mapping begins on the line of its first key.
        return Value(held, line, keys=keys)
    if isinstance(node, yaml.SequenceNode):
        return Value([_value(item, lines) for item in node.value], line)
    if node.tag == "tag:yaml.org,2002:null":
        return Value(None, line)
    assert isinstance(node, yaml.ScalarNode)
    end, block = node.end_mark, node.style in ("|", ">")
    rest = lines[end.line][end.column:] if end.line < len(lines) and not block else ""
    return Value(str(node.value), line, block, rest.partition("#")[2].strip())
