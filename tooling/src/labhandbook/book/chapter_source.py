"""A chapter's text as the author wrote it: front matter, includes, shortcodes and code fences, line by line.

This reads no Markdown beyond fences: pandoc does that. It keeps where every line came from, so that every
mistake is reported with its file and line.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath
from typing import Any

from labhandbook.book.book_rules import INCLUDE, READABLE, SHORTCODE, SUPPORTED, VARIABLE
from labhandbook.book.boundary import OUTSIDE, is_other, leads_out, own_file
from labhandbook.book.code_cells import CELL, FENCE_OF_CELL, cell_fence, inner
from labhandbook.book.contents import near_file
from labhandbook.book.facts import look_up, names
from labhandbook.book.frozen_results import frozen_text
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import At, Finding, Rule, Severity
from labhandbook.core.wording import hint
from labhandbook.core.yaml_reader import read_yaml

SHORTCODE_PATTERN = re.compile(r"(?<!\{)\{\{<\s*(.*?)\s*>\}\}(?!\})")
INCLUDE_LINE = re.compile(r"^\s*\{\{<\s*include\s+(\S+)\s*>\}\}\s*$")
OPEN_SHORTCODE = re.compile(r"\{\{<(?:(?!>\}\}|\{\{<)[^`])*$")
# A shortcode that Quarto shows and does not answer.
SHOWN = re.compile(r"\{\{</\*(.*?)\*/>\}\}")
FENCE = re.compile(r"^\s*(?:[>*+-]\s+|\d+\.\s+)*(`{3,}|~{3,})(.*)$")
# What begins a list, a footnote or a definition, whose lines are indented.
ITEM = re.compile(r"^\s*(?:>\s*)*(?:[-*+:~]|\(?(?:\d+|[a-zA-Z]|#|@[\w-]*)[.)]|\(@[\w-]*\)|\[\^[^\]]+\]:)\s")
INDENTED = re.compile(r" {4}|\t")
TOKEN = "hbsc{:0{}d}z"
# The answer to a token that only fills a line, see `_replace`.
NOTHING = "hb-nothing"
# Where a token would stay: in a tag of HTML and in an attribute.
UNFILLED = re.compile(r"<[A-Za-z/]|[{\"=][^\s|]*$")
# The shortcode of the handbook's extension that shows a part of a file: the page changes with that file.
PART = "part"
# Quarto's own shortcodes that the embedded engine does not answer.
QUARTO_ONLY = {"brand", "contents", "embed", "env", "lipsum", "placeholder", "version", "video"}
MAX_DEPTH = 8
# Opening brackets and other marks in a paragraph that no text needs.
MANY = 200


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

    def find(self, needle: str) -> Line | None:
        """The first line that holds `needle`."""
        return next((line for line in (*self.lines, *self.front) if needle in line.text), None)


@dataclass(frozen=True)
class Answers:
    """What a book answers the shortcodes of its chapters with.

    `variables` answers `{{< var >}}`, `settings` is what `{{< meta >}}` finds beside a page's front matter, the
    `handlers` are the names that a Lua extension answers, `others` those that only Quarto answers. `house` says
    whether the book asks for the handbook's rules of style, `results` whether Quarto's frozen results are read.
    """

    root: Path
    variables: dict[str, Any]
    settings: dict[str, Any]
    handlers: set[str]
    others: set[str] = field(default_factory=set)
    house: bool = True
    results: bool = False

    def beside(self, path: str) -> Iterator[dict[str, Any]]:
        """What the `_metadata.yml` files beside and above a page say, the nearest first."""
        for folder in PurePosixPath(path).parents:
            name = str(folder / "_metadata.yml")
            if file := own_file(self.root, name):
                held = read_yaml(untrusted_data.text(file, name), name).data
                yield held if isinstance(held, dict) else {}


def read_source(answers: Answers, path: str) -> Source:
    """Read the page `path` (relative to the book's root) and make it ready for pandoc.

    What can't be resolved becomes a finding; the text then holds the author's own words at that place.
    """
    source = Source(path, beside=list(answers.beside(path)))
    lines = _read_lines(answers.root, path, source, stack=(path,))
    if answers.results and (made := frozen_text(answers.root, path)) is not None:
        lines = list(_beside(made, lines, path))
    start = _front_matter(lines, source)
    source.lines = list(_join_shortcodes(list(_mark_code(lines[start:]))))
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
            source.filled.append(_replace(answers, line, source))
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
        meta = read_yaml("\n".join(line.text for line in lines[1:end]), source.path, first=2).data
    except untrusted_data.Unreadable as error:
        source.findings.append(Finding(source.path, error.line, READABLE, f"the front matter {error.problem}"))
        return end + 1
    source.front = lines[1:end]
    if isinstance(meta, dict):
        source.meta = meta
    return end + 1


def _mark_code(lines: list[Line]) -> Iterator[Line]:
    """Mark the lines that are in a fenced code block; the blank line after an include is outside of them only.

    Four blanks before a fence make it text of an indented block, unless it is in a list. A cell ends where a fence
    stands as far in as its first one, as knitr reads it.
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


def _join_shortcodes(lines: list[Line]) -> Iterator[Line]:
    """The lines with every shortcode on one: what goes on below is read on the line that begins it."""
    place = 0
    while place < len(lines):
        line, place = lines[place], place + 1
        end = place
        while not line.code and OPEN_SHORTCODE.search(line.text) and end < len(lines) and lines[end].text.strip():
            line, end = replace(line, text=f"{line.text} {lines[end].text.strip()}"), end + 1
            if not OPEN_SHORTCODE.search(line.text):
                place = end
        yield line if place == end else lines[place - 1]


def _replace(answers: Answers, line: Line, source: Source) -> str:
    """A line with its variables filled in and its other shortcodes turned into tokens."""

    def blame(rule: Rule, message: str) -> None:
        # In code Quarto shows what it does not know as it is written.
        shown = line.code and rule is SHORTCODE and not answers.house
        source.findings.append(Finding(line.file, line.number, rule, message, Severity.WARNING if shown else None))

    def token(call: Shortcode, length: int) -> str:
        source.shortcodes.append(call)
        return TOKEN.format(len(source.shortcodes), max(length - 5, 1))

    def quartos_length(match: re.Match[str]) -> int:
        """How long a shortcode is while Quarto reads it in a row of a table: a row of more than 72 characters makes
        its columns as wide as their dashes (src/resources/pandoc/datadir/lpegshortcode.lua).
        """
        row = line.text.lstrip().startswith("|") and not line.code
        return 38 + 2 * len(match[0]) if row and not UNFILLED.search(match.string[:match.start()]) else 0

    def filler(match: re.Match[str], length: int) -> str:
        missing = quartos_length(match) - length
        return token(Shortcode(NOTHING, [], {}, line.file, line.number), missing) if missing > 0 else ""

    def answer(match: re.Match[str]) -> str:
        try:
            words = shlex.split(match[1])
        except ValueError:
            words = []
        name, *rest = words or [""]
        if name == "var" and len(rest) == 1:
            value = look_up(answers.variables, rest[0])
            if value is not None:
                return value + filler(match, len(value))
            blame(VARIABLE, f"no variable is named {rest[0]}{hint(rest[0], names(answers.variables))}")
            return match[0] if line.code else f"**?var:{rest[0]}**"
        elif name == "meta" and len(rest) == 1:
            value = _meta(rest[0], source.meta, *source.beside, answers.settings)
            if value is not None:
                return value + filler(match, len(value))
            blame(SHORTCODE, f"neither the front matter nor _quarto.yml has a single value named {rest[0]}")
            return match[0] if line.code else f"**?meta:{rest[0]}**"
        elif name in answers.handlers:
            if name == PART and rest:
                file = rest[0].lstrip("/")
                source.includes.add(file)
                if is_other(answers.root, file):
                    blame(SHORTCODE, f"{rest[0]} is not a file of the book")
                    return match[0]
            return token(_call(name, rest, line), quartos_length(match))
        elif name in answers.others:
            blame(SUPPORTED, f"the shortcode {match[0]} is not answered by the embedded engine")
            return match[0] if answers.house else ""
        else:
            blame(SHORTCODE, f"the shortcode {match[0]} is not known here{_near_shortcode(name, answers.handlers)}")
        return match[0]

    text = SHORTCODE_PATTERN.sub(answer, SHOWN.sub(r"{{{<\1>}}}", line.text))
    return text.replace("{{{<", "{{<").replace(">}}}", ">}}")


def _meta(name: str, *holders: dict[str, Any]) -> str | None:
    """The value a.b.c of the first mapping that has it, as Quarto shows it; None for a list or a mapping."""
    *outer, last = name.split(".")
    for place in holders:
        value: Any = place
        for key in outer:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, dict) and last in value:
            value = value[last]
            while isinstance(value, list) and len(value) == 1:
                value = value[0]
            if isinstance(value, dict | list):
                return None
            return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return None


def _near_shortcode(name: str, handlers: set[str]) -> str:
    if name == "include":
        return ": an include must be alone on its line"
    return "" if name in {"var", "meta"} else hint(name, {*handlers, "var", "meta", "include"})


def _call(name: str, words: list[str], line: Line) -> Shortcode:
    args, kwargs = [], {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals and re.fullmatch(r"[A-Za-z][\w-]*", key):
            kwargs[key] = value
        else:
            args.append(word)
    return Shortcode(name, args, kwargs, line.file, line.number)
