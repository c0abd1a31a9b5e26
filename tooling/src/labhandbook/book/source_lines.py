"""A chapter's lines as the author wrote them, each with its place, and what was found while they were read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from labhandbook.core.rules import At, Finding

# What begins a definition, or the caption of a table.
DEFINITION = re.compile(r"[\s>]*[:~]\s")
INLINE_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


@dataclass(frozen=True)
class Line:
    """One line of the expanded text.

    `code` is True inside a fenced block and on its fences, `opens` on the fence that opens one. `gap` marks the blank
    line that Quarto puts after what it includes.
    """

    text: str
    file: str
    number: int
    code: bool = False
    opens: bool = False
    gap: bool = False

    def at(self, message: str) -> At:
        """What a rule found on this line."""
        return At(message, self.file, self.number)


@dataclass
class Shortcode:
    """One call of a shortcode that a Lua extension answers."""

    name: str
    args: list[str]
    kwargs: dict[str, str]
    file: str
    line: int


@dataclass
class Source:
    """A page's text after includes, with its front matter, its shortcodes and what is wrong with it.

    `front` holds the lines of the front matter, `beside` what the `_metadata.yml` files near it say, `filled` the
    text of each of `lines` as pandoc gets it.
    """

    path: str
    meta: dict[str, Any] = field(default_factory=dict)
    beside: list[dict[str, Any]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    front: list[Line] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)
    shortcodes: list[Shortcode] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    includes: set[str] = field(default_factory=set)
    text: str = ""

    @property
    def unreadable(self) -> bool:
        """Whether nothing could be read of the page."""
        return not self.lines and bool(self.findings)

    @property
    def defines(self) -> bool:
        """Whether the text may hold a definition list: a line of its form is a caption only below rows of a table."""
        rows = 0
        for line, text in zip(self.lines, self.filled, strict=True):
            if not line.code and (text.startswith("+") or (DEFINITION.match(text) and rows < 2)):
                return True
            rows = rows + 1 if text.startswith("|") else 0 if text.strip() else rows
        return False

    def find(self, needle: str) -> Line | None:
        """The first line that holds `needle`."""
        return next((line for line in (*self.lines, *self.front) if needle in line.text), None)
