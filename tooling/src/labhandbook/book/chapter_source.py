"""A chapter's text as the author wrote it: front matter, includes, shortcodes and code fences, line by line.

This reads no Markdown beyond fences: pandoc does that. It keeps where every line came from, so that every
mistake is reported with its file and line.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

from labhandbook.book.book_rules import INCLUDE, READABLE, SUPPORTED
from labhandbook.book.boundary import OUTSIDE, leads_out, own_file
from labhandbook.book.code_cells import CELL, FENCE_OF_CELL, cell_fence, inner
from labhandbook.book.contents import near_file
from labhandbook.book.extensions import PAGE_NOT_READ
from labhandbook.book.frozen_results import frozen_text
from labhandbook.book.shortcodes import Answers, answered, joined
from labhandbook.book.source_lines import Line, Source
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Severity
from labhandbook.core.yaml_reader import read_yaml

INCLUDE_LINE = re.compile(r"^\s*\{\{<\s*include\s+(\S+)\s*>\}\}\s*$")
FENCE = re.compile(r"^\s*(?:[>*+-]\s+|\d+\.\s+)*(`{3,}|~{3,})(.*)$")
# What begins a list, a footnote or a definition, whose lines are indented.
ITEM = re.compile(r"^\s*(?:>\s*)*(?:[-*+:~]|\(?(?:\d+|[a-zA-Z]|#|@[\w-]*)[.)]|\(@[\w-]*\)|\[\^[^\]]+\]:)\s")
INDENTED = re.compile(r" {4}|\t")
MAX_DEPTH = 8
# Opening brackets and other marks in a paragraph that no text needs.
MANY = 200


def read_source(answers: Answers, path: str) -> Source:
    """Read the page `path` (relative to the book's root) and make it ready for pandoc.

    What can't be resolved becomes a finding; the text then holds the author's own words at that place.
    """
    source = Source(path, beside=list(answers.beside(path)))
    lines = _read_lines(answers.root, path, source, stack=(path,))
    if answers.results and (made := frozen_text(answers.root, path)) is not None:
        lines = list(_beside(made, lines, path))
    start = _front_matter(lines, source)
    source.lines = list(joined(list(_mark_code(lines[start:]))))
    cell = None
    for place, line in enumerate(source.lines):
        if line.opens or not line.code:
            cell = CELL.match(line.text) if line.opens else None
        if cell and line.opens:
            if answers.house:
                source.findings.append(Finding(line.file, line.number, SUPPORTED, f"the executed cell {{{cell[3]}}} "
                                               "is not run by the embedded engine"))
            source.filled.append(cell_fence(cell, (after.text for after in source.lines[place + 1:])))
        elif cell:
            ends = place + 1 == len(source.lines) or source.lines[place + 1].opens or not source.lines[place + 1].code
            source.filled.append(inner(cell) + FENCE_OF_CELL if ends else line.text)
        else:
            source.filled.append(answered(answers, line, source))
    # pandoc's command makes blanks of tabs before it reads, its library does not.
    source.text = "\n".join(source.filled).expandtabs(4) + "\n"
    return source


def _beside(made: str, lines: list[Line], path: str) -> Iterator[Line]:
    """The lines of a text that a page's engine made, each with the place of the same line in the page."""
    texts, last = made.splitlines(), Line("", path, 1)
    same = SequenceMatcher(None, texts, [line.text for line in lines]).get_matching_blocks()
    places = {block.a + step: block.b + step for block in same for step in range(block.size)}
    for number, text in enumerate(texts):
        last = lines[places[number]] if number in places else last
        yield replace(last, text=text)


def heaviest(source: Source) -> Line:
    """The line on which a page most probably keeps pandoc busy: of the paragraph with the most opening marks, the
    line with most of them. It is the first line of a page where none has many.
    """
    marks: list[tuple[int, int, Line]] = []
    block = 0
    for line in source.lines:
        block = block + _openings(line) if line.text.strip() else 0
        marks.append((block, _openings(line), line))
    if not marks:
        return Line("", source.path, 1)
    end = max(range(len(marks)), key=lambda place: marks[place][0])
    if marks[end][0] < MANY:
        return marks[0][2]
    begin = next((place + 1 for place in range(end, -1, -1) if not marks[place][2].text.strip()), 0)
    return max(marks[begin:end + 1], key=lambda mark: mark[1])[2]


def _openings(line: Line) -> int:
    return 0 if line.code else sum(map(line.text.count, "[({<*_`$^~"))


def _read_lines(root: Path, path: str, source: Source, *, stack: tuple[str, ...]) -> list[Line]:
    try:
        if leads_out(root, path):
            raise HandbookError(f"{path} is not a file of the book: {OUTSIDE}")
        text = untrusted_data.text(root / path, path)
    except HandbookError as error:
        source.findings.append(Finding(path, untrusted_data.line_in(error.where), READABLE, error.what))
        return []
    if "\0" in text:
        source.findings.append(Finding(path, 0, READABLE, f"{path} holds NUL bytes: it is a binary file"))
        return []
    lines: list[Line] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE_LINE.match(line)
        target = _include_target(source.path, match[1]) if match else None
        if target is None:
            lines.append(Line(line, path, number))
            continue
        source.includes.add(target)
        if len(stack) > MAX_DEPTH or target in stack:
            source.findings.append(Finding(path, number, INCLUDE, f"{target} includes itself"))
        elif own_file(root, target) is None:
            absent = _submodule(root, target)
            message = f"{target} is in the submodule {absent}, not checked out" if absent else _no_file(root, target)
            source.findings.append(Finding(path, number, INCLUDE, message, Severity.UNVERIFIED if absent else None))
        else:
            lines += _read_lines(root, target, source, stack=(*stack, target))
            lines.append(Line("", path, number, gap=True))
    return lines


def _submodule(root: Path, target: str) -> str:
    """The folder of a git submodule that would hold `target` and is empty."""
    file = own_file(root, ".gitmodules")
    text = untrusted_data.text(file, ".gitmodules") if file else ""
    return next((name for name in re.findall(r"^\s*path\s*=\s*(\S+)\s*$", text, re.MULTILINE)
                 if target.startswith(f"{name}/") and not any((root / name).glob("*"))), "")


def _no_file(root: Path, target: str) -> str:
    if leads_out(root, target):
        return f"{target} does not exist in the book: {OUTSIDE}"
    return f"{target} does not exist in the book{near_file(root, target)}"


def _include_target(path: str, name: str) -> str:
    """An include's file relative to the root: from the page's folder, or from the root with a slash.

    Quarto starts at the page too where one included file includes another (core/handlers/base.ts, resolvePath).
    """
    name = name.strip("\"'")
    if name.startswith("/"):
        return name.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _front_matter(lines: list[Line], source: Source) -> int:
    """Read the YAML at the top into `source.meta`; the number of lines it took."""
    if not lines or lines[0].text.rstrip() != "---":
        return 0
    for end in range(1, len(lines)):
        if lines[end].text.rstrip() in ("---", "..."):
            break
    else:
        source.findings.append(Finding(source.path, 1, READABLE, "the front matter is not closed with ---"))
        return 0
    try:
        front = read_yaml("\n".join(line.text for line in lines[1:end]), source.path, first=2)
    except untrusted_data.Unreadable as error:
        source.findings.append(Finding(source.path, error.line, READABLE, f"the front matter {error.problem}"))
        return end + 1
    source.front = lines[1:end]
    if isinstance(front.data, dict):
        source.meta = front.data
    for place in (front, front["format"]["html"]):
        source.findings += [Finding(source.path, place.at(name), SUPPORTED, f"`{name}:` is not read by the embedded "
                                    "engine", Severity.WARNING) for name in PAGE_NOT_READ if name in place.map]
    return end + 1


def _mark_code(lines: list[Line]) -> Iterator[Line]:
    """Mark the lines that are in a fenced code block; the blank line after an include is outside of them only.

    Four blanks before a fence make it text of an indented block, unless it is in a list. A cell ends where a fence
    is indented like its first one, as knitr reads it.
    """
    fence, cell, listed, deep = "", None, False, False
    for line in lines:
        match = FENCE.match(line.text)
        if line.gap and fence:
            continue
        if not fence and line.text.strip():
            listed = bool(ITEM.match(line.text)) or (listed and line.text[0] in " \t>")
        if not fence and match and not (match[1][0] == "`" and "`" in match[2]) and (
                listed or not INDENTED.match(line.text)):
            fence, cell, deep = match[1], CELL.match(line.text), listed
            yield replace(line, code=True, opens=True)
        elif fence and match and match[1].startswith(fence) and not match[2].strip() and (
                line.text.startswith(inner(cell) + fence[0]) if cell else deep or not INDENTED.match(line.text)):
            fence = ""
            yield replace(line, code=True)
        else:
            yield replace(line, code=bool(fence))
