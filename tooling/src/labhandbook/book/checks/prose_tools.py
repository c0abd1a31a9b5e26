"""Rules that tools from PyPI check: panache reads Markdown, codespell has a list of misspellings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.book.checks.check_input import BOOK, Reading
from labhandbook.book.source_positions import Places
from labhandbook.core.rules import At

PANACHE = re.compile(r"^(.+?):(\d+):\d+: (?:error|warning|info)\[([\w-]+)\]: (.*)$")
SPELT = re.compile(r"^(.+?):(\d+): (\S+) ==> (.+)$")
# What panache checks; the engine's reading checks cross-references, citations, includes and headings.
WANTED = (
    "crossref-as-link-target", "empty-list-item", "footnote-ref-in-footnote-def", "heading-eaten-attrs",
    "html-entities", "math-syntax", "quarto-schema", "stray-fenced-div-markers", "table-column-count",
)
# What pandoc says while it reads.
LOGGED = {"NoteDefinedButNotUsed": "the footnote [^{}] is never used",
          "DuplicateNoteReference": "the footnote [^{}] is defined twice",
          "DuplicateLinkReference": "{} is defined twice"}
ELSEWHERE = {"stray-fenced-div-markers", "math-unexpected-dollar"}
# Cross-references and includes are read by the engine; the options of a cell are YAML over several comments.
ANSWERED = re.compile(r"cross-reference label|^included file not found|^YAML parse error", re.IGNORECASE)
# A formula in the text of another, which panache takes for its end: $a \text{ of $b$}$.
NESTED = re.compile(r"\\(?:text|mbox)\w*\{")


def panache_lines(reading: Reading) -> Iterator[tuple[str, int, str, str]]:
    """What panache found: file, line, code and message, each once."""
    seen = set()
    for line in (reading.tools["panache"].result().output or "").splitlines():
        if (match := PANACHE.match(line)) and not ANSWERED.search(match[4]) and line not in seen:
            seen.add(line)
            yield match[1], int(match[2]), match[3], match[4]


@BOOK.rule("BOOK017", "Footnotes, links, tables and formulas of a chapter are complete",
           section="sec-contributing-rules",
           why="Footnotes and links without target, cells beyond a table's columns and broken formulas vanish or "
               "show as text.",
           fix="Correct the place as the message says.")
def markdown(reading: Reading) -> Iterator[At]:
    """What panache finds in the text."""
    yield from reading.tools["panache"].result().missing()
    nested = {(line.file, line.number) for chapter in reading.chapters.values() for line in chapter.source.lines
              if NESTED.search(line.text)}
    for file, number, code, message in panache_lines(reading):
        if code not in ELSEWHERE and not (code.startswith("math-") and (file, number) in nested):
            yield At(f"{message} ({code})", file, number)
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for needle in chapter.survey["footnotes"]:
            yield places.of(re.escape(needle)).at(f"the footnote {needle} has no text")
        for entry in chapter.parsed["log"]:
            if message := LOGGED.get(entry["type"], ""):
                yield chapter.places.at(entry["line"]).at(message.format(entry.get("key") or entry.get("contents")))


@BOOK.rule("BOOK018", "Words in chapters and facts are spelt right", section="sec-contributing-rules",
           why="A misspelt word can't be searched for and makes the reader doubt the rest.",
           fix="Correct the word. If the word is right, add it to .codespellrc, under ignore-words-list.")
def spelling(reading: Reading) -> Iterator[At]:
    """What codespell finds in chapters and facts."""
    ran = reading.tools["codespell"].result()
    yield from ran.missing()
    for line in (ran.output or "").splitlines():
        if (match := SPELT.match(line)) and _misspelt(match[3], match[4]):
            yield At(f"“{match[3]}” should be “{match[4]}”", match[1].removeprefix("./"), int(match[2]))


def _misspelt(word: str, right: str) -> bool:
    """Whether codespell's word is a mistake: no abbreviation (FPR), and not only a hyphen more (re-used)."""
    return word[1:] == word[1:].lower() and word.replace("-", "") != right
