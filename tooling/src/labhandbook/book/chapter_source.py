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
from pathlib import Path, PurePosixPath
from typing import Any

from labhandbook.book.book_rules import INCLUDE, READABLE, SHORTCODE, SUPPORTED, VARIABLE
from labhandbook.book.boundary import OUTSIDE, is_other, leads_out, own_file
from labhandbook.book.facts import look_up, names
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import At, Finding
from labhandbook.core.wording import hint
from labhandbook.core.yaml_reader import read_yaml

SHORTCODE_PATTERN = re.compile(r"(?<!\{)\{\{<\s*(.*?)\s*>\}\}(?!\})")
INCLUDE_LINE = re.compile(r"^\s*\{\{<\s*include\s+(\S+)\s*>\}\}\s*$")
CELL = re.compile(r"^\s*(?:`{3,}|~{3,})\s*\{+([A-Za-z][\w-]*)[\s,}]")
FENCE = re.compile(r"^\s*(?:[>*+-]\s+|\d+\.\s+)*(`{3,}|~{3,})(.*)$")
TOKEN = "hbsc{}z"
# The shortcode of the handbook's extension that shows a part of a file: the page changes with that file.
PART = "part"
MAX_DEPTH = 8
# Opening brackets and other marks in a paragraph that no text needs.
MANY = 200


@dataclass(frozen=True)
class Line:
    """One line of the expanded text.

    `code` is True inside a fenced block and on its fences, `opens` on the fence that opens one.
    """

    text: str
    file: str
    number: int
    code: bool = False
    opens: bool = False

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

    `front` holds the lines of the front matter, `filled` the text of each of `lines` as pandoc gets it.
    """

    path: str
    meta: dict[str, Any] = field(default_factory=dict)
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
        return next((line for line in self.lines if needle in line.text), None)


def read_source(root: Path, path: str, variables: dict[str, Any], handlers: set[str]) -> Source:
    """Read the page `path` (relative to `root`) and make it ready for pandoc.

    `variables` answers `{{< var >}}`, `handlers` are the names that a Lua extension answers. What can't be
    resolved becomes a finding; the text then holds the author's own words at that place.
    """
    source = Source(path)
    lines = _read_lines(root, path, source, depth=0, stack=())
    start = _front_matter(lines, source)
    source.lines = list(_mark_code(lines[start:]))
    for line in source.lines:
        if line.opens and (cell := CELL.match(line.text)):
            source.findings.append(Finding(line.file, line.number, SUPPORTED,
                                           f"the executed cell {{{cell[1]}}} is not rendered by the embedded engine"))
    source.filled = [_replace(root, line, source, variables, handlers) for line in source.lines]
    source.text = "\n".join(source.filled) + "\n"
    return source


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


def _read_lines(root: Path, path: str, source: Source, *, depth: int, stack: tuple[str, ...]) -> list[Line]:
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
        target = _include_target(path, match[1]) if match else None
        if target is None:
            lines.append(Line(line, path, number))
            continue
        source.includes.add(target)
        if depth >= MAX_DEPTH or target in (*stack, path):
            source.findings.append(Finding(path, number, INCLUDE, f"{target} includes itself"))
        elif own_file(root, target) is None:
            outside = leads_out(root, target)
            message = f"{target} does not exist in the book" + (
                f": {OUTSIDE}" if outside else _near_file(root, target))
            source.findings.append(Finding(path, number, INCLUDE, message))
        else:
            lines += _read_lines(root, target, source, depth=depth + 1, stack=(*stack, path))
    return lines


def _include_target(path: str, name: str) -> str:
    """An include's file relative to the root: from the including file, or from the root with a slash."""
    if name.startswith("/"):
        return name.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _near_file(root: Path, target: str) -> str:
    """A hint at the file in the folder of `target` whose name comes near."""
    path = PurePosixPath(target)
    try:
        return hint(path.name, [entry.name for entry in (root / path.parent).iterdir()])
    except OSError:
        return ""


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
    """Mark the lines that are in a fenced code block."""
    fence = ""
    for line in lines:
        match = FENCE.match(line.text)
        if not fence and match and not (match[1][0] == "`" and "`" in match[2]):
            fence = match[1]
            yield replace(line, code=True, opens=True)
        elif fence and match and match[1].startswith(fence) and not match[2].strip():
            fence = ""
            yield replace(line, code=True)
        else:
            yield replace(line, code=bool(fence))


def _replace(root: Path, line: Line, source: Source, variables: dict[str, Any], handlers: set[str]) -> str:
    """A line with its variables filled in and its other shortcodes turned into tokens."""

    def answer(match: re.Match[str]) -> str:
        try:
            words = shlex.split(match[1])
        except ValueError:
            words = []
        name, *rest = words or [""]
        if name == "var" and len(rest) == 1:
            value = look_up(variables, rest[0])
            if value is not None:
                return value
            source.findings.append(Finding(line.file, line.number, VARIABLE,
                                           f"no variable is named {rest[0]}{hint(rest[0], names(variables))}"))
        elif name == "meta" and len(rest) == 1 and rest[0] in source.meta:
            return str(source.meta[rest[0]])
        elif name in handlers:
            if name == PART and rest:
                file = rest[0].lstrip("/")
                source.includes.add(file)
                if is_other(root, file):
                    source.findings.append(Finding(line.file, line.number, SHORTCODE,
                                                   f"{rest[0]} is not a file of the book"))
                    return match[0]
            source.shortcodes.append(_call(name, rest, line))
            return TOKEN.format(len(source.shortcodes))
        else:
            message = f"the shortcode {match[0]} is not known here{_near_shortcode(name, handlers)}"
            source.findings.append(Finding(line.file, line.number, SHORTCODE, message))
        return match[0]

    text = SHORTCODE_PATTERN.sub(answer, line.text)
    return text.replace("{{{<", "{{<").replace(">}}}", ">}}")


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
