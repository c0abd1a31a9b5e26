"""Checks that tools from PyPI do well: panache reads Markdown, codespell knows misspellings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.book.book_rules import MARKDOWN, SPELLING
from labhandbook.book.checks.check_input import BOOK, Reading, unverified
from labhandbook.core.rules import Finding

PANACHE = re.compile(r"^(.+?):(\d+):\d+: (?:error|warning|info)\[([\w-]+)\]: (.*)$")
SPELT = re.compile(r"^(.+?):(\d+): (\S+) ==> (.+)$")
# What panache is asked for; cross-references, citations, includes and headings are answered by the engine's reading.
WANTED = (
    "crossref-as-link-target", "duplicate-reference-labels", "empty-list-item", "footnote-ref-in-footnote-def",
    "heading-eaten-attrs", "html-entities", "math-syntax", "quarto-schema", "stray-fenced-div-markers",
    "table-column-count", "undefined-references", "unused-definitions",
)
ANSWERED = re.compile(r"cross-reference label|^included file not found", re.IGNORECASE)


def panache_lines(reading: Reading) -> Iterator[tuple[str, int, str, str]]:
    """What panache said: file, line, code and message, each once."""
    seen = set()
    for line in (reading.tools["panache"].result().output or "").splitlines():
        if (match := PANACHE.match(line)) and not ANSWERED.search(match[4]) and line not in seen:
            seen.add(line)
            yield match[1], int(match[2]), match[3], match[4]


@BOOK.finds(MARKDOWN)
def markdown(reading: Reading) -> Iterator[Finding]:
    """What panache finds in the text."""
    ran = reading.tools["panache"].result()
    if ran.output is None:
        yield unverified(MARKDOWN, ran.problem)
    for file, number, code, message in panache_lines(reading):
        if code != "stray-fenced-div-markers":
            yield Finding(file, number, MARKDOWN, f"{message} ({code})")


@BOOK.finds(SPELLING)
def spelling(reading: Reading) -> Iterator[Finding]:
    """What codespell finds in chapters and facts."""
    ran = reading.tools["codespell"].result()
    if ran.output is None:
        yield unverified(SPELLING, ran.problem)
    for line in (ran.output or "").splitlines():
        if match := SPELT.match(line):
            yield Finding(match[1].removeprefix("./"), int(match[2]), SPELLING,
                          f"“{match[3]}” should be “{match[4]}”")
