"""Changing single lines of a recipe, so that comments, tests and order stay as their authors wrote them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from labhandbook.recipe.recipe_reader import V0, Reading, Value
from labhandbook.recipe.yaml_text import Quoted, emit, scalar


@dataclass
class Edits:
    """What is to be replaced, removed and added, by lines of the file; `left` names what a person must do."""

    reading: Reading
    lines: dict[int, str] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    after: dict[int, list[str]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The file with all changes."""
        made: list[str] = []
        for number, line in enumerate(self.reading.lines, 1):
            if number not in self.gone:
                made.append(self.lines.get(number, line))
            made += self.after.get(number, [])
        return "\n".join(made).rstrip("\n") + "\n"

    def swap(self, line: int, old: str, new: str) -> None:
        """Put a text into the place of another one on a line."""
        now = self.lines.get(line, self.reading.lines[line - 1])
        self.lines[line] = now.replace(old, new, 1)

    def field(self, path: str, value: str | int, *, quoted: bool = False) -> None:
        """Give a field another value; a field that isn't there is added to its section."""
        node, line = self.reading.node(path), self.reading.line(path)
        if node is None:
            self._insert(path, value)
            return
        match = re.match(r"(\s*(?:- )?[\w-]+:\s*)([^#\s].*?)?(\s+#.*)?$", self.reading.lines[line - 1])
        if match and not (match[2] or "").startswith(("|", ">")) and node.end_mark.line <= line:
            self.lines[line] = f"{match[1].rstrip()} {scalar(Quoted(value) if quoted else value)}{match[3] or ''}"
        else:
            self.left.append(f"change {path} to {value}")

    def listed(self, path: str, wanted: Sequence[str]) -> None:
        """Make a field hold these values: a list item by item, one value or a list on one line as a whole."""
        node, values, line = self.reading.node(path), self.reading.values(path), self.reading.line(path)
        if node is None:
            self._insert(path, list(wanted))
        elif not wanted:
            self._drop(path)
        elif isinstance(node, yaml.SequenceNode) and values and values[0].line > line:
            for value in values:
                if value.text not in wanted:
                    self.remove(value)
            for text in wanted:
                if text not in [value.text for value in values]:
                    self.add(path, text)
        elif len(wanted) == 1 and isinstance(node, yaml.ScalarNode):
            self.field(path, wanted[0])
        else:
            head = self.reading.lines[line - 1]
            self.lines[line] = head[:head.index(":") + 1]
            self.gone |= set(range(line + 1, node.end_mark.line + 2))
            self.after[line] = [f"{_indent(head)}  - {scalar(text)}" for text in wanted]

    def requirement(self, value: Value, text: str) -> None:
        """Write another requirement on the line of one."""
        head = re.match(r"\s*- ", self.reading.lines[value.line - 1])
        comment = re.search(r"\s+#.*$", self.reading.lines[value.line - 1])
        self.lines[value.line] = f"{head[0] if head else '    - '}{scalar(text)}{comment[0] if comment else ''}"

    def add(self, path: str, text: str) -> None:
        """Add a line to a list, behind its last; a list that isn't there is made."""
        values = self.reading.values(path)
        if values:
            self.after.setdefault(values[-1].line, []).append(
                f"{_indent(self.reading.lines[values[0].line - 1])}- {scalar(text)}")
        elif self.reading.node(path) is None:
            self._insert(path, [text])
        else:
            self.left.append(f"add {text} to {path}")

    def remove(self, value: Value) -> None:
        """Remove the line of a value from its list."""
        self.gone.add(value.line)

    def _drop(self, path: str) -> None:
        """Remove a field, and the sections that hold nothing else."""
        first, last = self.reading.line(path), max(value.line for value in self.reading.values(path))
        parent = path.rpartition(".")[0]
        while parent and len(self.reading.keys(parent)) == 1:
            first, parent = self.reading.line(parent), parent.rpartition(".")[0]
        self.gone |= set(range(first, last + 1))

    def _insert(self, path: str, value: object) -> None:
        """A field that isn't there, at the end of the nearest section above it that is."""
        keys = (V0.get(path, path) if self.reading.form == "v0" else path).split(".")
        depth = next((depth for depth in range(len(keys) - 1, 0, -1)
                      if self.reading.node(".".join(path.split(".")[:depth])) is not None), 0)
        if not depth:
            self.left.append(f"add {path}: {value}")
            return
        held: object = value
        for key in reversed(keys[depth:]):
            held = {key: held}
        section = ".".join(path.split(".")[:depth])
        node, lines = self.reading.node(section), self.reading.lines
        last = node.end_mark.line if node is not None else 0
        while not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#"):
            last -= 1
        pad = _indent(lines[self.reading.line(section) - 1]) + "  "
        self.after.setdefault(last, []).extend(pad + one for one in emit(held))


def _indent(line: str) -> str:
    return line[:len(line) - len(line.lstrip())]


def version_line(reading: Reading, old: str) -> int:
    """The line on which the version is written."""
    for number, line in enumerate(reading.lines, 1):
        if re.search(r"(set\s+version\b|^\s*version\s*:)", line) and old in line:
            return number
    return 0
