"""Shortcodes in a chapter's text: values are filled in, and the others become tokens that Lua answers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from labhandbook.book.book_rules import SHORTCODE, SUPPORTED, VARIABLE
from labhandbook.book.boundary import is_other, own_file
from labhandbook.book.facts import look_up, names
from labhandbook.book.source_lines import INLINE_CODE, Line, Shortcode, Source
from labhandbook.core import untrusted_data
from labhandbook.core.rules import Finding, Rule
from labhandbook.core.wording import hint
from labhandbook.core.yaml_reader import read_yaml

SHORTCODE_PATTERN = re.compile(r"(?<!\{)\{\{<\s*(.*?)\s*>\}\}(?!\})")
OPEN_SHORTCODE = re.compile(r"\{\{<(?:(?!>\}\}|\{\{<)[^`])*$")
# A shortcode that Quarto shows and does not answer.
SHOWN = re.compile(r"\{\{</\*(.*?)\*/>\}\}")
TOKEN = "hbsc{:0{}d}z"
# The answer to a token that only fills a line, see `answered`.
NOTHING = "hb-nothing"
# A row of a table with more characters makes its columns as wide as their dashes.
COLUMNS = 72
# Where no token belongs: a tag of HTML, an attribute and the target of a link.
UNFILLED = re.compile(r"<[A-Za-z/][^>]*$|(?:[{\"=]|\]\()[^\s|]*$")
# A heading whose id its author leaves to the engine.
HEADING = re.compile(r"##+\s(?!.*\{[^}<]*#)")
# What comes before a shortcode in <https://{{< var host >}}>.
ADDRESS = re.compile(r"<(?:https?:[^\s<>]*)?$")
# The shortcode of the handbook's extension that shows a part of a file: the page changes with that file.
PART = "part"
# Quarto's own shortcodes that the embedded engine does not answer.
QUARTO_ONLY = {"brand", "contents", "embed", "env", "lipsum", "placeholder", "version", "video"}


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


def joined(lines: list[Line]) -> Iterator[Line]:
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


def in_code(line: Line, match: re.Match[str]) -> bool:
    """Whether what was found in a line is in a code block or between backticks."""
    return line.code or any(code.start() < match.start() < code.end() for code in INLINE_CODE.finditer(match.string))


def answered(answers: Answers, line: Line, source: Source) -> str:
    """A line with its variables filled in and its other shortcodes turned into tokens."""

    if "{{<" not in line.text:
        return line.text
    row = line.text.lstrip().startswith("|") and not line.code
    wanted = COLUMNS + 1 - len(SHORTCODE_PATTERN.sub("", line.text).strip()) if row else 0

    def blame(rule: Rule, message: str) -> None:
        source.findings.append(Finding(line.file, line.number, rule, message))

    def token(call: Shortcode, length: int) -> str:
        source.shortcodes.append(call)
        return TOKEN.format(len(source.shortcodes), max(length - 5, 1))

    def missing(match: re.Match[str], length: int = 0) -> int:
        """How much longer than `length` a shortcode is while Quarto reads it in a row of a table
        (src/resources/pandoc/datadir/lpegshortcode.lua), as far as it makes the row longer than COLUMNS: pandoc
        reads each character.
        """
        nonlocal wanted
        if UNFILLED.search(match.string[:match.start()]):
            return 0
        more = max(min(38 + 2 * len(match[0]) - length, wanted), 0)
        wanted -= more
        return more

    def filler(match: re.Match[str], length: int) -> str:
        more = missing(match, length)
        return token(Shortcode(NOTHING, [], {}, line.file, line.number), more) if more else ""

    def answer(match: re.Match[str]) -> str:
        try:
            words = shlex.split(match[1])
        except ValueError:
            words = []
        name, *rest = words or [""]
        if ADDRESS.search(match.string[:match.start()]) and not in_code(line, match):
            blame(SUPPORTED, f"Quarto makes no link of a shortcode in <>: write [words]({match[0]})")
        if HEADING.match(line.text) and not line.code:
            blame(SUPPORTED, "Quarto makes no readable id of a heading with a shortcode: write one behind it")
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
            return token(_call(name, rest, line), missing(match))
        elif name in answers.others:
            blame(SUPPORTED, f"the shortcode {match[0]} is not answered by the embedded engine")
            return match[0] if answers.house else ""
        # In code Quarto shows what it does not know as it is written.
        elif answers.house or not in_code(line, match):
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
