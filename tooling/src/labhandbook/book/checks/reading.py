"""What the checks look at: the book as it was read, and the register of the checks."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from labhandbook.book.facts import Fact
from labhandbook.book.model import CONFIG, Book, Page
from labhandbook.book.source import Line, Source
from labhandbook.rules import Finding, Rule, Severity

INLINE_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


@dataclass
class Places:
    """Finds the lines of a source that its findings belong to; of a needle asked for again, the next place."""

    source: Source
    _seen: dict[str, int] = field(default_factory=dict)

    @cached_property
    def _prose(self) -> list[str]:
        """The author's lines without code, and behind them the lines with variables filled in."""
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
        # pandoc writes the spaces of an address as %20; the author did not.
        return line if line.number or unquote(needle) == needle else self.word(unquote(needle))

    def id(self, name: str) -> Line:
        """The next line that gives something the id `name`."""
        return self.of(rf"\{{[^{{}}\n]*#{re.escape(name)}(?=[\s}}])|\bid=[\"']?{re.escape(name)}\b")

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


@dataclass(frozen=True)
class Target:
    """Where a link leads: a file relative to the book's root ("" is the page itself) and a fragment."""

    written: str
    file: str
    fragment: str


@dataclass
class Chapter:
    """A page: its source, what reading it told, the survey (see lua/survey.lua) and what its links lead to."""

    page: Page
    source: Source
    told: dict[str, Any]
    survey: dict[str, Any]
    targets: list[Target] = field(default_factory=list)

    @cached_property
    def places(self) -> Places:
        """Where in the source something stands; it moves on with each question, so each check takes its own."""
        return Places(self.source)

    def blame(self, rule: Rule, message: str, line: Line, severity: Severity | None = None) -> Finding:
        """A finding on a line of this page."""
        return Finding(line.file, line.number, rule, message, severity)

    @cached_property
    def anchors(self) -> set[str]:
        """The ids that a link can lead to."""
        raw = {name for text in self.survey["raw"] for name in re.findall(r"\b(?:id|name)=[\"']?([^\"'\s>]+)", text)}
        return {*self.told["ids"], *raw} - set(self.survey["tabs"])


@dataclass(frozen=True)
class Block:
    """A shell block: its lines, and where each of them stands."""

    text: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Work:
    """An entry of a bibliography file."""

    key: str
    file: str
    line: int
    fields: dict[str, str]


@dataclass(frozen=True)
class Ran:
    """What a tool printed; None when it could not run, and then `problem` says why."""

    output: str | None
    problem: str = ""


@dataclass(frozen=True)
class Site:
    """A built site: how its folder is called in findings, and its pages' HTML by path."""

    shown: str
    folder: str
    pages: dict[str, str]

    def place(self, page: str) -> str:
        """A page's name in findings."""
        return f"{self.shown}/{page}"


@dataclass
class Reading:
    """Everything that was read, before any check looks at it.

    `files` are the chapter files on disk, listed or not; `texts` the lines of the facts files; `present` the files
    that links and images lead to, and `beside` what lies beside those that are missing, by folder.
    """

    book: Book
    today: date
    chapters: dict[str, Chapter] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    cited: set[str] = field(default_factory=set)
    bibliography_page: str | None = None
    facts: list[Fact] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    beside: dict[str, list[str]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    tools: dict[str, Ran] = field(default_factory=dict)
    site: Site | None = None

    @cached_property
    def included(self) -> set[str]:
        """The files that some chapter includes."""
        return {name for chapter in self.chapters.values() for name in chapter.source.includes}


Check = Callable[[Reading], Iterable[Finding]]
CHECKS: dict[str, tuple[Rule, Check]] = {}


def checks(rule: Rule) -> Callable[[Check], Check]:
    """Register the function that looks whether `rule` holds."""

    def keep(function: Check) -> Check:
        if rule.code in CHECKS:
            raise ValueError(f"{rule.code} has two checks")
        CHECKS[rule.code] = rule, function
        return function

    return keep


def unverified(rule: Rule, problem: str) -> Finding:
    """The finding that a rule could not look."""
    return Finding(CONFIG, 0, rule, f"could not be verified: {problem}", Severity.UNVERIFIED)
