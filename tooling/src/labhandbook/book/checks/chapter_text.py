"""Checks of a chapter's own text: front matter, blocks, headings, pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from labhandbook.book.book_rules import (
    ALTERNATIVE,
    CALLOUT,
    CLOSED,
    DUPLICATE,
    FRONT_MATTER,
    HEADINGS,
    INCLUDE,
    READABLE,
    SHORTCODE,
    SUPPORTED,
    VARIABLE,
)
from labhandbook.book.chapter_source import FENCE, Line
from labhandbook.book.checks.check_input import BOOK, Chapter, Reading, unverified
from labhandbook.book.checks.prose_tools import panache_lines
from labhandbook.book.engine.pandoc_engine import duplicate_ids
from labhandbook.book.source_positions import Places
from labhandbook.core.rules import Finding, Rule
from labhandbook.core.wording import hint

KEYS = {"title", "description", "aliases"}
META = re.compile(r"\{\{<\s*meta\s+([\w-]+)")
IMG = re.compile(r"<img\b(?![^>]*\balt\s*=\s*(?:\"\s*[^\"\s]|'\s*[^'\s]|[^\"'\s>]))[^>]*>", re.IGNORECASE)


def of_source(rule: Rule) -> None:
    """Register a rule that the reading of the source answers."""

    def found(reading: Reading) -> Iterator[Finding]:
        for chapter in reading.chapters.values():
            yield from (finding for finding in chapter.source.findings if finding.rule is rule)

    BOOK.finds(rule)(found)


for answered in (READABLE, INCLUDE, SHORTCODE, VARIABLE):
    of_source(answered)


def problems(chapter: Chapter, kind: str) -> Iterator[tuple[str, str]]:
    """The needle and the message of each problem of a kind that the engine told."""
    for problem in [*chapter.told["problems"], *chapter.survey["problems"]]:
        if problem["kind"] == kind:
            yield problem["needle"], problem["message"]


@BOOK.finds(SUPPORTED)
def supported(reading: Reading) -> Iterator[Finding]:
    """Constructs that the embedded engine refuses."""
    for chapter in reading.chapters.values():
        yield from (finding for finding in chapter.source.findings if finding.rule is SUPPORTED)
        places = Places(chapter.source)
        for needle, message in problems(chapter, "supported"):
            line = places.of(re.escape(needle))
            yield chapter.blame(SUPPORTED, message, line if line.number else chapter.source.find(needle) or line)


@BOOK.finds(CALLOUT)
def callout(reading: Reading) -> Iterator[Finding]:
    """Divs of a class callout-... that is none."""
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for needle, message in problems(chapter, "callout"):
            known = [f"callout-{kind}" for kind in ("note", "tip", "important", "caution", "warning")]
            yield chapter.blame(CALLOUT, message + hint(needle, known), places.word("." + needle))


@BOOK.finds(DUPLICATE)
def duplicate(reading: Reading) -> Iterator[Finding]:
    """Ids that a page uses twice, and labels that two pages use."""
    for chapter in reading.chapters.values():
        yield from duplicate_ids(chapter.source, chapter.told["ids"], reading.labels)


@BOOK.finds(FRONT_MATTER)
def front_matter(reading: Reading) -> Iterator[Finding]:
    """Keys at the top of a chapter that one engine or none reads."""
    for chapter in reading.chapters.values():
        used = {key for line in chapter.source.lines for key in META.findall(line.text)}
        for key in chapter.source.meta:
            if key not in KEYS | used:
                number = next((line.number for line in chapter.source.front
                               if re.match(rf"[\"']?{re.escape(str(key))}[\"']?\s*:", line.text)), 1)
                yield Finding(chapter.page.path, number, FRONT_MATTER,
                              f"`{key}` is not a key that both engines read{hint(str(key), KEYS)}")


@BOOK.finds(CLOSED)
def closed(reading: Reading) -> Iterator[Finding]:
    """Divs and fences that nothing closes, and `:::` that closes nothing."""
    for chapter in reading.chapters.values():
        for entry in chapter.told["log"]:
            if entry["type"] == "UnclosedDiv":
                line = chapter.places.at(entry["openpos"]["line"])
                yield chapter.blame(CLOSED, "the div that begins here is never closed", line)
        yield from _fences(chapter)
    if reading.tools["panache"].result().output is None:
        yield unverified(CLOSED, reading.tools["panache"].result().problem)
    for file, number, code, message in panache_lines(reading):
        if code == "stray-fenced-div-markers":
            yield Finding(file, number, CLOSED, message)


def _fences(chapter: Chapter) -> Iterator[Finding]:
    opening: Line | None = None
    fence = ""
    for line in chapter.source.lines:
        match = FENCE.match(line.text)
        if line.opens:
            assert match
            opening, fence = line, match[1]
        elif not line.code:
            opening = None
        elif match and match[1].startswith(fence) and opening:
            if match[2].strip():
                yield chapter.blame(CLOSED, f"a code block begins here inside the one that line {opening.number} "
                                            "opened: is that one closed?", line)
            else:
                opening = None
    if opening:
        yield chapter.blame(CLOSED, "the code block that begins here is never closed", opening)


@BOOK.finds(HEADINGS)
def headings(reading: Reading) -> Iterator[Finding]:
    """Headings more than one level below the one above them."""
    for chapter in reading.chapters.values():
        found = chapter.survey["headings"]
        levels = [1, *(heading["level"] for heading in found)]
        if all(level <= above + 1 for above, level in pairwise(levels)):
            continue
        places = Places(chapter.source)
        for heading, above in zip(found, levels, strict=False):
            level, word = heading["level"], re.search(r"\w+", heading["text"])
            line = places.of(rf"^[ \t>]*{'#' * level}[ \t].*{word[0] if word else ''}")
            if level > above + 1:
                yield chapter.blame(HEADINGS, f"“{heading['text']}” has level {level} below one of level {above}",
                                    line)


@BOOK.finds(ALTERNATIVE)
def alternative(reading: Reading) -> Iterable[Finding]:
    """Pictures that say nothing to who does not see them."""
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for image in chapter.survey["images"]:
            line = places.word(image["src"]) if image["src"] else places.of(r"!\[[^\]]*\]\(\s*\)")
            if not image["alt"].strip():
                yield chapter.blame(ALTERNATIVE, f"{image['src']} has no alternative text", line)
        for raw in chapter.survey["raw"]:
            for tag in IMG.findall(raw):
                yield chapter.blame(ALTERNATIVE, f"{tag} has no alternative text", places.of(re.escape(tag)))
