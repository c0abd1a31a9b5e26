"""Rules for a chapter's own text: front matter, blocks, headings, pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from labhandbook.book.book_rules import CALLOUT, DUPLICATE, INCLUDE, READABLE, SHORTCODE, SUPPORTED, VARIABLE
from labhandbook.book.chapter_source import FENCE
from labhandbook.book.checks.check_input import BOOK, Chapter, Reading
from labhandbook.book.checks.prose_tools import panache_lines
from labhandbook.book.code_cells import CELL
from labhandbook.book.engine.page_findings import duplicate_ids
from labhandbook.book.source_lines import Line
from labhandbook.book.source_positions import Places
from labhandbook.core.rules import At, Finding
from labhandbook.core.wording import hint

KEYS = {"page-navigation", "title", "description", "aliases"}
META = re.compile(r"\{\{<\s*meta\s+([\w-]+)")
DIV = re.compile(r"^\s*:{3,}\s*((?:\{.*\}|[^\s:{}]+)?)[\s:]*$")
IMG = re.compile(r"<img\b(?![^>]*\balt\s*=\s*(?:\"\s*[^\"\s]|'\s*[^'\s]|[^\"'\s>]))[^>]*>", re.IGNORECASE)


def _of_source(reading: Reading, code: str) -> Iterator[Finding]:
    """What reading the sources found of a rule."""
    for chapter in reading.chapters.values():
        yield from (finding for finding in chapter.source.findings if finding.rule.code == code)


for found in (READABLE, INCLUDE, SHORTCODE, VARIABLE):
    BOOK.finds(found)(partial(_of_source, code=found.code))


def problems(chapter: Chapter, kind: str) -> Iterator[tuple[str, str]]:
    """The text to look for and the message of each problem of a kind that the engine found."""
    for problem in [*chapter.parsed["problems"], *chapter.survey["problems"]]:
        if problem["kind"] == kind:
            yield problem["needle"], problem["message"]


@BOOK.finds(SUPPORTED)
def supported(reading: Reading) -> Iterator[At | Finding]:
    """Constructs that the embedded engine refuses."""
    yield from _of_source(reading, SUPPORTED.code)
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for needle, message in problems(chapter, "supported"):
            yield places.attribute(needle).at(message)


@BOOK.finds(CALLOUT)
def callout(reading: Reading) -> Iterator[At | Finding]:
    """Divs of a class callout-... that does not exist."""
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for needle, message in problems(chapter, "callout"):
            known = [f"callout-{kind}" for kind in ("note", "tip", "important", "caution", "warning")]
            yield places.word("." + needle).at(message + hint(needle, known))


@BOOK.finds(DUPLICATE)
def duplicate(reading: Reading) -> Iterator[At | Finding]:
    """Ids that a page uses twice, and labels that two pages use."""
    for chapter in reading.chapters.values():
        yield from duplicate_ids(chapter.source, chapter.parsed["ids"], reading.labels)


@BOOK.rule("BOOK015", "Front matter holds only keys that both engines read", section="sec-contributing-rules",
           why="A misspelt key does nothing, and a key of one engine alone makes two different pages.",
           fix="Keep to description:, title:, aliases: and page-navigation:.")
def front_matter(reading: Reading) -> Iterator[At | Finding]:
    """Keys at the top of a chapter that one engine or none reads."""
    for chapter in reading.chapters.values():
        used = {key for line in chapter.source.lines for key in META.findall(line.text)}
        for key in chapter.source.meta:
            if key not in KEYS | used:
                number = next((line.number for line in chapter.source.front
                               if re.match(rf"[\"']?{re.escape(str(key))}[\"']?\s*:", line.text)), 1)
                yield At(f"`{key}` is not a key that both engines read{hint(str(key), KEYS)}", chapter.page.path,
                         number)


@BOOK.rule("BOOK016", "Every div and every code block of a chapter is closed", section="sec-contributing-rules",
           why="Everything up to the end of the page becomes part of the callout, the tab or the code block.",
           fix="Close a div with three colons and a code block with as many backticks as opened it, on lines of "
               "their own.")
def closed(reading: Reading) -> Iterator[At | Finding]:
    """Divs and fences that nothing closes, and `:::` that closes nothing."""
    for chapter in reading.chapters.values():
        for entry in chapter.parsed["log"]:
            if entry["type"] == "UnclosedDiv":
                line = chapter.places.at(entry["openpos"]["line"])
                yield line.at("the div that begins here is never closed")
        yield from _fences(chapter)
    yield from reading.tools["panache"].result().missing()
    sound = {place for chapter in reading.chapters.values() for place in _sound_divs(chapter)}
    for file, number, code, message in panache_lines(reading):
        if code == "stray-fenced-div-markers" and (file, number) not in sound:
            yield At(message, file, number)


def _sound_divs(chapter: Chapter) -> Iterator[tuple[str, int]]:
    """The places of `:::` that pandoc reads: one that opens a div below a blank line, one that closes it anywhere."""
    depth, free = 0, True
    for line in chapter.source.lines:
        match = None if line.code else DIV.match(line.text)
        if match and (free if match[1] else depth):
            depth += 1 if match[1] else -1
            yield line.file, line.number
        free = bool(match) or line.code or not line.text.strip()


def _fences(chapter: Chapter) -> Iterator[At | Finding]:
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
                if CELL.match(opening.text) or len(line.text) - len(line.text.lstrip()) > 3:
                    continue
                yield line.at(f"a code block begins here inside the one that line {opening.number} opened: is that "
                              "one closed?")
            else:
                opening = None
    if opening:
        yield opening.at("the code block that begins here is never closed")


@BOOK.rule("BOOK014", "No heading level is skipped", section="sec-contributing-rules",
           why="Screen readers and the table of contents show a gap where a level is missing.",
           fix="Use one # more than the heading above it, at most.")
def headings(reading: Reading) -> Iterator[At | Finding]:
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
                yield line.at(f"“{heading['text']}” has level {level} below one of level {above}")


@BOOK.rule("BOOK013", "A picture has alternative text", section="sec-contributing-rules",
           why="People who can't see the picture learn nothing from it; a caption names it, but does not describe "
               "it.",
           fix='Add fig-alt="what the picture shows" in the braces after the picture.')
def alternative(reading: Reading) -> Iterator[At]:
    """Pictures without alternative text."""
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for image in chapter.survey["images"]:
            line = places.word(image["src"]) if image["src"] else places.of(r"!\[[^\]]*\]\(\s*\)")
            if not image["alt"].strip():
                yield line.at(f"{image['src']} has no alternative text")
        for raw in chapter.survey["raw"]:
            for tag in IMG.findall(raw):
                yield places.of(re.escape(tag)).at(f"{tag} has no alternative text")
