"""Changing version, hash and build number on their lines; every other byte of a recipe stays as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from labhandbook.core.regular_file import content
from labhandbook.core.rules import Finding
from labhandbook.recipe.recipe_reader import Reading


@dataclass
class Edits:
    """What is replaced on which line. `settled` are the findings that the changes settle."""

    reading: Reading
    changes: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    settled: list[Finding] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text with all changes."""
        return self._applied(self.reading.text)

    @property
    def data(self) -> bytes:
        """The file with all changes: its line breaks and its byte order mark stay."""
        return self._applied(content(self.reading.path).decode()).encode()

    def _applied(self, text: str) -> str:
        made = text.splitlines(keepends=True)
        for number, changes in self.changes.items():
            for old, new in changes:
                made[number - 1] = made[number - 1].replace(old, new, 1)
        return "".join(made)

    def swap(self, line: int, old: str, new: str, settles: Finding | None = None) -> None:
        """Put a text in the place of another one on a line, which settles a finding."""
        if not old or old not in self.reading.lines[line - 1]:
            return
        self.changes.setdefault(line, []).append((old, new))
        if settles:
            self.settled.append(settles)

    def drop(self) -> None:
        """Make no change at all."""
        self.changes.clear()
        self.settled.clear()

    def raise_build_number(self) -> int | None:
        """Raise the build number by one where it is a plain number or a variable that is one; the old number."""
        written = self.reading.written("build.number")
        if written.isdigit():
            self.build_number(int(written) + 1)
            return int(written)
        variable = re.fullmatch(r"\$?\{\{ *(\w+) *\}\}", written)
        old = self.reading.context.get(variable[1], "") if variable else ""
        for line, text in enumerate(self.reading.lines, 1):
            place = (re.match(rf"(\s+|\{{% set ){variable[1]}( = |: *)['\"]?{old}\b", text)
                     if variable and old.isdigit() else None)
            if place:
                self.swap(line, place[0], re.sub(r"\d+$", str(int(old) + 1), place[0]))
                return int(old)
        return None

    def build_number(self, number: int, settles: Finding | None = None) -> None:
        """Write another build number where the recipe has a plain number."""
        line = self.reading.line("build.number")
        found = re.search(r"\bnumber\s*:\s*\d+", self.reading.lines[line - 1])
        if found and self.reading.written("build.number").isdigit():
            self.swap(line, found[0], re.sub(r"\d+$", str(number), found[0]), settles)


def version_line(reading: Reading, old: str) -> int:
    """The line on which the version is written; that of the field when none of the usual places holds it."""
    for number, line in enumerate(reading.lines, 1):
        if re.search(r"(set\s+version\b|^\s*version\s*:)", line) and old in line:
            return number
    return reading.line("package.version")
