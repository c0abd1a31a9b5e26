"""Changing single lines of a recipe, so that comments, tests and order stay as their authors wrote them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from labhandbook.recipe.reading import Reading, Value
from labhandbook.recipe.yamltext import Quoted, scalar


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
        text = scalar(Quoted(value) if quoted else value)
        if node is None:
            parent, _, key = path.rpartition(".")
            if self.reading.form == "v0":
                key = {"homepage": "home", "documentation": "doc_url", "repository": "dev_url"}.get(key, key)
            if self.reading.node(parent) is None:
                self.left.append(f"add {path}: {value}")
            else:
                self.after.setdefault(line, []).append(f"  {key}: {text}")
            return
        match = re.match(r"(\s*(?:- )?[\w-]+:\s*)([^#\s].*?)?(\s+#.*)?$", self.reading.lines[line - 1])
        if match and not (match[2] or "").startswith(("|", ">")) and node.end_mark.line <= line:
            self.lines[line] = f"{match[1].rstrip()} {text}{match[3] or ''}"
        else:
            self.left.append(f"change {path} to {value}")

    def requirement(self, value: Value, text: str) -> None:
        """Write another requirement on the line of one."""
        head = re.match(r"\s*- ", self.reading.lines[value.line - 1])
        comment = re.search(r"\s+#.*$", self.reading.lines[value.line - 1])
        self.lines[value.line] = f"{head[0] if head else '    - '}{scalar(text)}{comment[0] if comment else ''}"

    def add(self, path: str, text: str) -> None:
        """Add a line to a list, behind its last; an empty list gets its first line."""
        values = self.reading.values(path)
        if values:
            last = values[-1].line
            head = re.match(r"\s*", self.reading.lines[values[0].line - 1])
            self.after.setdefault(last, []).append(f"{head[0] if head else '    '}- {scalar(text)}")
        else:
            self.left.append(f"add {text} to {path}")

    def remove(self, value: Value) -> None:
        """Remove the line of a value from its list."""
        self.gone.add(value.line)

    def listed(self, path: str, wanted: Sequence[str]) -> None:
        """Make a list hold these values."""
        found = self.reading.values(path)
        for value in found:
            if value.text not in wanted:
                self.remove(value)
        for text in wanted:
            if text not in [value.text for value in found]:
                self.add(path, text)


def version_line(reading: Reading, old: str) -> int:
    """The line on which the version is written."""
    for number, line in enumerate(reading.lines, 1):
        if re.search(r"(set\s+version\b|^\s*version\s*:)", line) and old in line:
            return number
    return 0
