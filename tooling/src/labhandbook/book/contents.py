"""The table of contents: what `_quarto.yml` lists under `chapters:` and `appendices:`, as Quarto reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from labhandbook.book.boundary import ADDRESS, OUTSIDE, leads_out, own_file
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.wording import hint
from labhandbook.core.yaml_reader import Value

CONFIG = "_quarto.yml"
# What Quarto makes pages of, without notebooks and scripts.
SOURCES = {".qmd", ".md", ".rmd", ".rmarkdown"}
LINK, RULE = re.compile(r"^https?://"), re.compile(r"^\s*-+\s*$")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
ATTRIBUTES = re.compile(r"(?:^|\s)\{([^{}]*)\}[\"']?\s*$")


@dataclass(frozen=True)
class Page:
    """One page of the site.

    `path` is the source relative to the book's root with forward slashes; `number` is the chapter number,
    or None for a page without one; `part` marks the page that opens a part, `appendix` one of the appendices. `text`
    is its name in the table of contents where that differs from its title.
    """

    path: str
    number: int | None = None
    part: bool = False
    appendix: bool = False
    text: str = ""

    @property
    def home(self) -> bool:
        """Whether this is the site's first page, which carries the book's title."""
        return self.path.startswith("index.")

    @property
    def label(self) -> str:
        """Its number as it is shown: 3 of a chapter, C of an appendix; nothing without one."""
        return "" if self.number is None else chr(64 + self.number) if self.appendix else str(self.number)

    @property
    def url(self) -> str:
        """The page's address relative to the site's root, as Quarto gives it."""
        return str(PurePosixPath(self.path).with_suffix(".html"))


@dataclass(frozen=True)
class Part:
    """A part: its opening page (or only a title) and its chapters."""

    title: str
    page: Page | None
    chapters: tuple[Page, ...]


def config_error(what: str, why: str, line: int, todo: str = "") -> HandbookError:
    """A `_quarto.yml` that can't be used."""
    return HandbookError(f"{CONFIG} {what}", where=f"{CONFIG}:{max(line, 1)}", why=why, section="sec-contributing",
                         todo=todo or f"correct {CONFIG}; the contributing chapter shows a whole one")


def read_contents(root: Path, book: Value) -> tuple[Page | Part, ...]:
    """The pages and parts of the section `book:`, the home page first.

    Raises HandbookError for what is no chapter, with its line.
    """
    reader = _Reader(root)
    found = list(reader.read(book["chapters"].items))
    references = book["references"]
    if references:
        found += reader.read([references])
    if appendices := book["appendices"].items:
        reader.count, reader.appendix = 0, True
        pages = tuple(each for each in reader.read(appendices) if isinstance(each, Page))
        found.append(Part("Appendices", None, pages))
    home = next((page for page in flatten(found) if page.home), None)
    if home is None:
        raise config_error("does not list index.qmd", "it is the site's first page", book.at("chapters"))
    return home, *_without(home, found)


def flatten(contents: Iterable[Page | Part]) -> Iterator[Page]:
    """The pages of a table of contents in reading order."""
    for entry in contents:
        if isinstance(entry, Page):
            yield entry
        else:
            if entry.page:
                yield entry.page
            yield from entry.chapters


def _without(home: Page, contents: Iterable[Page | Part]) -> Iterator[Page | Part]:
    """The contents without the home page, which Quarto puts first from any place, and without a part of it alone."""
    for entry in contents:
        if isinstance(entry, Part) and home in entry.chapters:
            entry = replace(entry, chapters=tuple(page for page in entry.chapters if page != home))
            if not entry.chapters and not entry.page:
                continue
        if entry != home:
            yield entry


class _Reader:
    """Turns a list into pages and parts and counts the numbered chapters."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.count = 0
        self.appendix = False
        self.seen: set[str] = set()

    def read(self, entries: list[Value]) -> Iterator[Page | Part]:
        for entry in entries:
            if "part" not in entry.map:
                yield from self.chapter(entry)
            elif self.appendix or not entry["part"].text:
                raise self.neither(entry)
            else:
                yield self.part(entry)

    def part(self, entry: Value) -> Part:
        opening = entry["part"].text
        is_page = own_file(self.root, opening) is not None or PurePosixPath(opening).suffix.lower() in SOURCES
        page = self.page(entry["part"], part=True) if is_page else None
        chapters = entry["chapters"]
        if chapters and not isinstance(chapters.held, list):
            raise self.neither(entry)
        pages = tuple(page for item in chapters.items for page in self.chapter(item))
        return Part("" if page else opening, page, pages)

    def chapter(self, entry: Value) -> Iterator[Page]:
        """The page of an entry: a path, or `href:` with `text:`; none for a line that only separates."""
        target = next((entry[key] for key in ("href", "file", "url") if entry[key].text), entry)
        if entry.text and RULE.match(entry.text):
            return
        if not target.text:
            raise self.neither(entry)
        yield self.page(target, text=entry["text"].text)

    def neither(self, entry: Value) -> HandbookError:
        shown = repr(entry.data)
        shown = shown if len(shown) <= 100 else f"{shown[:100]}..."
        if "auto" in entry.map:
            why = "Quarto makes no table of contents of a book by itself"
        elif {"part", "section", "contents", "chapters"} & entry.map.keys():
            why = "a part is in the list under `chapters:` itself, not in a part or in the appendices"
        else:
            why = "the table of contents can't be read"
        return config_error(f"lists {shown}, which is neither a chapter nor a part", why, entry.line,
                            "list each chapter by its path, or by `href:` and `text:`")

    def page(self, entry: Value, *, part: bool = False, text: str = "") -> Page:
        name, line = entry.text, entry.line
        path = str(PurePosixPath(name))
        if ADDRESS.match(name):
            raise config_error(f"lists {name}, an address outside the book", "Quarto looks for a file of that name",
                               line, "link to it from a chapter, or put it under `sidebar: tools:`")
        if leads_out(self.root, path):
            raise config_error(f"lists {name}, which is not a chapter of the book: {OUTSIDE}",
                               "its page would be written outside the site", line)
        source = own_file(self.root, path)
        if source is None:
            why = ("Quarto takes no patterns and no `auto` in a book" if name == "auto" or set("*?[") & set(name)
                   else "the book can't be rendered without it")
            raise config_error(f"lists {name[:100]}, which does not exist{near_file(self.root, path)}", why, line)
        if PurePosixPath(path).suffix.lower() not in SOURCES:
            raise config_error(f"lists {name}, which this program does not read",
                               "a notebook or a script is run before it is a page, and only Quarto does that", line,
                               f"render with Quarto, or convert it: quarto convert {name}")
        if path in self.seen:
            raise config_error(f"lists {name} twice", "a page has one place in the book", line)
        self.seen.add(path)
        numbered = not part and not _opens_unnumbered(source)
        self.count += numbered
        return Page(path, self.count if numbered else None, part, self.appendix, text)


def near_file(root: Path, target: str) -> str:
    """A hint at the file in the folder of `target` whose name comes near."""
    path = PurePosixPath(target)
    try:
        return hint(path.name, [entry.name for entry in (root / path.parent).iterdir()])
    except OSError:
        return ""


def _opens_unnumbered(source: Path) -> bool:
    """Whether the page's title carries `.unnumbered` (or `-`), so that it takes no chapter number.

    The title is the first heading outside front matter and code, as in Quarto (core/pandoc/pandoc-partition.ts).
    One in the front matter has no attributes.
    """
    try:
        lines = untrusted_data.content(source).decode(errors="replace").splitlines()
    except HandbookError:
        return False
    if lines and lines[0].rstrip() == "---":
        end = next((place for place, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), 0)
        if any(re.match(r"title\s*:", line) for line in lines[1:end]):
            return False
        lines = lines[end + 1:]
    fence = ""
    for line in lines:
        if match := FENCE.match(line):
            if not fence:
                fence = match[1]
            elif match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif not fence and re.match(r"#+\s", line):
            attributes = ATTRIBUTES.search(line)
            return attributes is not None and (".unnumbered" in attributes[1] or attributes[1].strip() == "-")
    return False
