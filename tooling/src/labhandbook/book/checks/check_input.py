"""What the rules of the book look at: the book as it was read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from labhandbook.book.contents import CONFIG, Page
from labhandbook.book.facts import Fact
from labhandbook.book.model import Book
from labhandbook.book.source_lines import Line, Source
from labhandbook.book.source_positions import Places
from labhandbook.core.rules import At, Rules, unverified


@dataclass(frozen=True)
class Target:
    """Where a link leads: a file relative to the book's root ("" is the page itself) and a fragment."""

    written: str
    file: str
    fragment: str


@dataclass
class Chapter:
    """A page: its source, what pandoc read in it, the survey (see lua/survey.lua) and what its links lead to."""

    page: Page
    source: Source
    parsed: dict[str, Any]
    survey: dict[str, Any]
    targets: list[Target] = field(default_factory=list)

    @cached_property
    def places(self) -> Places:
        """Finds lines of the source; it moves on with each question, so each check takes its own."""
        return Places(self.source)

    @cached_property
    def anchors(self) -> set[str]:
        """The ids that a link can lead to."""
        raw = {name for text in self.survey["raw"] for name in re.findall(r"\b(?:id|name)=[\"']?([^\"'\s>]+)", text)}
        return {*self.parsed["ids"], *raw} - set(self.survey["tabs"])


@dataclass(frozen=True)
class Block:
    """A shell block: its text, and the line of the source that holds each of its lines."""

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

    def missing(self) -> Iterator[At]:
        """A finding that the rule could not be verified, if the tool did not run."""
        if self.output is None:
            yield unverified(f"could not be verified: {self.problem}")


@dataclass(frozen=True)
class Site:
    """A built site: the name of its folder in findings, and its pages' HTML by path."""

    shown: str
    folder: str
    pages: dict[str, str]

    def place(self, page: str) -> str:
        """A page's name in findings."""
        return f"{self.shown}/{page}"


@dataclass
class Reading:
    """Everything that was read, before any rule looks at it.

    `files` are the chapter files on disk, listed or not; `texts` the lines of the facts files; `present` the files
    that links and images lead to, and `beside` the files beside those that are missing, by folder.
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
    tools: dict[str, Future[Ran]] = field(default_factory=dict)
    site: Site | None = None

    @cached_property
    def included(self) -> set[str]:
        """The files that some chapter includes."""
        return {name for chapter in self.chapters.values() for name in chapter.source.includes}


BOOK: Rules[Reading] = Rules(lambda reading: CONFIG)
