"""Finds the lines of a page's source for what pandoc has read: pandoc says what it read, not where."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

from labhandbook.book.source_lines import INLINE_CODE, Line, Source


@dataclass
class Places:
    """Finds the lines of a source that its findings belong to; of the same text again, the next place."""

    source: Source
    _seen: dict[str, int] = field(default_factory=dict)

    @cached_property
    def _prose(self) -> list[str]:
        """The author's lines without code, and after them the lines with variables filled in."""
        return ["\n".join(_without_code(line, text) for line, text in zip(self.source.lines, texts, strict=True))
                for texts in ([line.text for line in self.source.lines],
                              [text.replace("\n", " ") for text in self.source.filled])]

    @cached_property
    def _starts(self) -> list[list[int]]:
        return [[0, *(match.end() for match in re.finditer("\n", text))] for text in self._prose]

    def of(self, pattern: str) -> Line:
        """The next line whose prose matches `pattern`; the last one found if there is no other.

        When there was none at all, the page's first line with number 0.
        """
        for text, starts in zip(self._prose, self._starts, strict=True):
            match = re.compile(pattern, re.MULTILINE).search(text, self._seen.get(pattern, 0))
            if match:
                self._seen[pattern] = match.end()
                return self.source.lines[bisect_right(starts, match.start()) - 1]
            if pattern in self._seen:
                before = bisect_right(starts, max(self._seen[pattern] - 1, 0)) - 1
                return self.source.lines[min(before, len(self.source.lines) - 1)]
        return Line("", self.source.path, 0)

    def word(self, needle: str) -> Line:
        """The next line that holds `needle` as a whole: not as a part of a longer key, path or id."""
        line = self.of(rf"(?<![\w/.-]){re.escape(needle)}(?![\w/#-]|[.:]\w)")
        # pandoc writes the spaces of an address as %20, and .png after a picture without an ending.
        written = unquote(needle) if "%" in needle else needle.removesuffix(".png")
        return line if line.number or written == needle else self.word(written)

    def id(self, name: str) -> Line:
        """The next line that gives something the id `name`; failing that, the first cell that has it as its label."""
        line = self.of(rf"\{{[^{{}}\n]*#{re.escape(name)}(?=[\s}}])|\bid=[\"']?{re.escape(name)}\b")
        label = re.compile(rf"\W+\|\s*label:\s*[\"']?{re.escape(name)}[\"']?\s*$")
        return line if line.number else next((each for each in self.source.lines if label.match(each.text)), line)

    def attribute(self, name: str) -> Line:
        """The next line that gives something the class or the attribute `name`; failing that, the best one."""
        word = re.escape(name)
        line = self.of(rf"\{{[^{{}}\n]*{word}[^{{}}\n]*\}}|^[ \t>]*:{{3,}}[ \t]*{word}[ \t]*$")
        return line if line.number else self.best(name)

    def best(self, needle: str) -> Line:
        """The next line that holds `needle` as a whole; failing that, the first that holds it at all, code too."""
        line = self.word(needle)
        return line if line.number else self.source.find(needle) or line

    @cached_property
    def _line_of_text(self) -> list[int]:
        """For each line of pandoc's text the place in `lines`; a variable may hold several lines."""
        return [place for place, text in enumerate(self.source.filled) for _ in range(text.count("\n") + 1)]

    def at(self, number: int) -> Line:
        """The line that pandoc counts as `number` of the text it was given."""
        if not 0 < number <= len(self._line_of_text):
            return Line("", self.source.path, 0)
        return self.source.lines[self._line_of_text[number - 1]]


def _without_code(line: Line, text: str) -> str:
    return "" if line.code else INLINE_CODE.sub(lambda match: " " * len(match[0]), text)
