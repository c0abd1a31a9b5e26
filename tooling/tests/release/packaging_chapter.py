"""A page as data: its sections, and its shell blocks as printed. Also which pages a release follows."""

from __future__ import annotations

import functools
import re
import shlex
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labhandbook.book.chapter_source import read_source
from labhandbook.book.facts import variables
from labhandbook.book.load import load_book
from labhandbook.book.shortcodes import Answers
from labhandbook.book.source_lines import Source
from tooling.tests.conftest import ROOT

# The pages of a first release in the order in which they are read, and the page of every later one.
FIRST = ("chapters/packaging/pypi.qmd", "chapters/packaging/pypi-upload.qmd",
         "chapters/packaging/trusted-publishing.qmd")
NEXT = "chapters/packaging/updating.qmd"
FROM_ACTIONS = "chapters/packaging/github-actions.qmd"
HAND, BY_COMMAND = "By hand", "By command"
# Where the package has its tests: the reader takes one of these tabs too.
INSIDE, BESIDE = "Tests in the package", "Tests beside the package"
SHORTCODES = {"rules", "page-facts", "reading-time", "reading-path", "agreement", "part", "changes", "talks",
              "glossary"}
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*(?:\{#([\w-]+)([^}]*)\})?$")

# What can't run here, by the words that a block begins with, and why.
NOT_RUN = {
    "uv tool install --python \">=3.11\" \\\n  \"labhandbook[release] @ git+":
        "it fetches this package from its host; the kit under test is on PATH already",
    "handbook release publish --dev":
        "it is for a commit without a tag; test_dev_version.py runs it on one",
}
# Run by hand only, although the block is outside the tabs.
HAND_ONLY = {"sec-pypi-environment": "the kit brings its own build tools", "sec-updating-bot": "it needs no command"}
# Before its tag a commit is not ready: the kit says so and ends with 1.
NOT_READY = re.compile(r"^handbook release (check|rehearse)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A shell block: its page, line and text, the sections around it, its tab if any, and the machine it names."""

    page: str
    line: int
    text: str
    sections: tuple[str, ...]
    tab: str
    machine: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def section(self) -> str:
        return self.sections[-1]

    @property
    def why_not(self) -> str:
        """Why it does not run here; empty for one that does."""
        return next((why for start, why in NOT_RUN.items() if self.text.startswith(start)), "")

    def runs(self, *tabs: str) -> bool:
        """Whether it runs for a reader who takes these tabs."""
        kit = self.text.startswith("handbook ")
        return (self.tab in ("", *tabs) and not self.why_not
                and (not kit if HAND in tabs else self.section not in HAND_ONLY))


@dataclass(frozen=True)
class Section:
    """A heading with an id: its level, whether it is a step, and the text up to the next heading of its level."""

    id: str
    level: int
    step: bool
    text: list[str] = field(default_factory=list)


def read(page: str, given: Mapping[str, str] | None = None) -> Source:
    """A page with its variables filled in; those of `given`, by their dotted names, have other values."""
    tree: dict[str, Any] = variables(load_book(ROOT))
    for name, value in (given or {}).items():
        *around, last = name.split(".")
        functools.reduce(lambda inner, key: inner[key], around, tree)[last] = value
    source = read_source(Answers(ROOT, tree, {}, SHORTCODES), page)
    assert not source.findings
    return source


def blocks(page: str, given: Mapping[str, str] | None = None) -> list[Block]:
    """The shell blocks of a page, as printed, with the values of `given` for some variables."""
    found: list[Block] = []
    around: list[tuple[int, str]] = []
    tab, inside, start, machine, text = "", False, 0, "", list[str]()
    source = read(page, given)
    for line, filled in zip(source.lines, source.filled, strict=True):
        heading = None if line.code else HEADING.match(filled)
        if line.opens:
            opened = re.search(r"\{\.(?:bash|sh)\b(?: filename=\"(.*?)\")?", filled)
            start, machine, text = (line.number, opened[1] or "", []) if opened else (0, "", [])
        elif line.code and filled.strip().startswith("```"):
            if start:
                found.append(Block(page, start, textwrap.dedent("\n".join(text)) + "\n",
                                   tuple(each[1] for each in around), tab, machine))
            start = 0
        elif line.code:
            text.append(filled)
        elif filled.startswith("::: {.panel-tabset"):
            inside = True
        elif filled.strip() == ":::" and inside:
            inside, tab = False, ""
        elif heading and inside:
            tab = heading[2]
        elif heading and heading[3]:
            around = [each for each in around if each[0] < len(heading[1])] + [(len(heading[1]), heading[3])]
    return found


def printed_words(page: str, start: str) -> list[str]:
    """The words of the page's one block that begins so, without the program's name."""
    (found,) = [block for block in blocks(page) if block.text.startswith(start)]
    return shlex.split(found.text)[1:]


def printed_file(name: str) -> str:
    """The file of this name that the page of a first release prints."""
    source = read(FIRST[0])
    start = next(place for place, line in enumerate(source.lines)
                 if line.opens and f'filename="{name}"' in line.text)
    end = next(place for place in range(start + 1, len(source.lines)) if source.filled[place].startswith("```"))
    return "\n".join(source.filled[start + 1:end]) + "\n"


@functools.cache
def sections(page: str) -> list[Section]:
    """The sections of a page in order, each with the text of those below it."""
    found: list[Section] = []
    opened: list[Section] = []
    for line in read(page).lines:
        heading = None if line.code else HEADING.match(line.text)
        if heading and heading[3]:
            opened = [each for each in opened if each.level < len(heading[1])]
            opened.append(Section(heading[3], len(heading[1]), ".step" in heading[4]))
            found.append(opened[-1])
        for each in opened:
            each.text.append(line.text)
    return found
