"""The book as `_quarto.yml` describes it: parts, chapters and their numbers, formats, addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from labhandbook.book.boundary import ADDRESS, OUTSIDE, leads_out, own_file
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.yaml_reader import read_yaml

CONFIG = "_quarto.yml"
# What the settings that are read here must be: a text (a number or a day is one too), or a list of texts.
TEXTS = ("project.output-dir", "lang", "book.title", "book.site-url", "book.repo-url", "book.repo-branch")
LISTS = ("bibliography", "filters", "css", "include-after-body", "format.html.css", "format.html.include-after-body",
         "book.favicon", "book.downloads", "book.repo-actions")


@dataclass(frozen=True)
class Page:
    """One page of the site.

    `path` is the source relative to the book's root with forward slashes; `number` is the chapter number,
    or None for a page without one; `part` marks the page that opens a part.
    """

    path: str
    number: int | None = None
    part: bool = False

    @property
    def home(self) -> bool:
        """Whether this is the site's first page, which carries the book's title."""
        return self.path == "index.qmd"

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


@dataclass(frozen=True)
class Book:
    """A book project: its folder, its configuration and its table of contents."""

    root: Path
    config: dict[str, Any]
    contents: tuple[Page | Part, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """The `book:` section of the configuration."""
        section: dict[str, Any] = self.config["book"]
        return section

    @property
    def title(self) -> str:
        """The book's title."""
        return str(self.settings.get("title", ""))

    @property
    def output(self) -> Path:
        """The folder that a render fills, absolute."""
        return self.root / str(self.config["project"].get("output-dir", "_book"))

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """All pages in reading order."""
        return tuple(_flatten(self.contents))

    @cached_property
    def by_path(self) -> dict[str, Page]:
        """The pages by their source path."""
        return {page.path: page for page in self.pages}

    @property
    def bibliography(self) -> list[str]:
        """The bibliography files, relative to the root."""
        return as_list(self.config.get("bibliography"))

    @property
    def styles(self) -> list[str]:
        """The style sheets and the icon of every page, relative to the root."""
        return [*as_list(self.html_option("css")), *as_list(self.settings.get("favicon"))]

    def html_option(self, name: str, default: Any = None) -> Any:
        """An option of `format: html`, or of the project where the format does not set it."""
        formats = self.config.get("format") or {}
        html = formats.get("html") if isinstance(formats, dict) else None
        if isinstance(html, dict) and name in html:
            return html[name]
        return self.config.get(name, default)


def as_list(value: Any) -> list[str]:
    """YAML lets a list of one be written as a scalar; read both."""
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def find_root(start: Path) -> Path:
    """The folder at or above `start` that holds the book's `_quarto.yml`.

    Raises HandbookError when there is none.
    """
    for folder in (start, *start.parents):
        if (folder / CONFIG).is_file():
            return folder
    raise HandbookError(
        f"no book here: {start} and the folders above it hold no {CONFIG}",
        todo="go to the handbook's checkout and run the command again",
        section="sec-contributing",
    )


def load_yaml(path: Path, shown: str) -> Any:
    """Read a YAML file; `shown` is its name in messages. Raises HandbookError with file and line when it can't."""
    text = untrusted_data.text(path, shown, section="sec-contributing")
    return read_yaml(text, shown, section="sec-contributing").data


def load_book(start: Path) -> Book:
    """Read the book at or above `start`.

    Raises HandbookError when there is no book, its configuration is broken, or a listed chapter is missing.
    """
    root = find_root(start.resolve())
    config = load_yaml(root / CONFIG, CONFIG)
    if not isinstance(config, dict) or not isinstance(config.get("book"), dict):
        raise _config_error("has no `book:` section", "this folder is not a book project", root)
    project = config.setdefault("project", {})
    if not isinstance(project, dict) or project.get("type") != "book":
        raise _config_error("does not say `project: {type: book}`", "only books are rendered", root, "type:")
    _check_types(config, root)
    chapters = config["book"].get("chapters")
    if not isinstance(chapters, list) or not chapters:
        raise _config_error("lists no chapters under `book: chapters:`", "a book needs an index.qmd", root)
    contents = tuple(_Reader(root).read(chapters))
    book = Book(root, config, contents)
    _keep_inside(book)
    if not any(page.path == "index.qmd" for page in _flatten(contents)):
        raise _config_error("does not list index.qmd", "it is the site's first page", root)
    return book


def _check_types(config: dict[str, Any], root: Path) -> None:
    """Raise HandbookError for a setting that is neither a text nor a list of texts where one is expected."""
    for place in (*TEXTS, *LISTS):
        value: Any = config
        for name in place.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        items = value if isinstance(value, list) and place in LISTS else [] if value is None else [value]
        wrong = [item for item in items if item is None or isinstance(item, dict | list)]
        if wrong or (place in TEXTS and _empty(config, place)):
            kind = "a text" if place in TEXTS else "a text or a list of texts"
            first = wrong[0] if wrong else None
            found = "a mapping" if isinstance(first, dict) else "a list" if isinstance(first, list) else "nothing"
            raise _config_error(f"has {found} under `{place.replace('.', ': ')}:`", f"{kind} belongs there", root,
                                f"{place.rpartition('.')[2]}:")


def _empty(config: dict[str, Any], place: str) -> bool:
    """Whether a setting is named without a value."""
    outer, _, name = place.rpartition(".")
    table = config.get(outer, {}) if outer else config
    return isinstance(table, dict) and name in table and table[name] is None


def _flatten(contents: tuple[Page | Part, ...]) -> Iterator[Page]:
    for entry in contents:
        if isinstance(entry, Page):
            yield entry
        else:
            if entry.page:
                yield entry.page
            yield from entry.chapters


def _keep_inside(book: Book) -> None:
    """Refuse a configuration that reads files outside the book, or whose output folder holds the book."""
    filters = [f"_extensions/{name}" for name in as_list(book.config.get("filters"))]
    named = {"css": as_list(book.html_option("css")), "favicon": as_list(book.settings.get("favicon")),
             "include-after-body": as_list(book.html_option("include-after-body")),
             "bibliography": book.bibliography, "filters": filters}
    for key, names in named.items():
        for name in names:
            if leads_out(book.root, name) or ADDRESS.match(name):
                shown = name.removeprefix("_extensions/") if key == "filters" else name
                raise HandbookError(f"{key}: {shown} is not a file of the book: {OUTSIDE}",
                                    where=f"{CONFIG}:{line_of(book.root / CONFIG, shown)}",
                                    why="a render shows and copies what _quarto.yml names",
                                    todo="copy the file into the book and write its path from the book's root",
                                    section="sec-contributing-check")
    try:
        holds_book = book.root.is_relative_to(book.output.resolve())
    except (OSError, RuntimeError, ValueError):
        holds_book = True
    if holds_book:
        name = book.config["project"].get("output-dir")
        raise HandbookError(f"output-dir: {name} is the book's own folder or holds it",
                            where=f"{CONFIG}:{line_of(book.root / CONFIG, 'output-dir')}",
                            why="a render replaces its output folder", todo="write output-dir: _book",
                            section="sec-contributing-preview")


def _config_error(what: str, why: str, root: Path, needle: str = "book:") -> HandbookError:
    return HandbookError(
        f"{CONFIG} {what}",
        where=f"{CONFIG}:{line_of(root / CONFIG, needle)}",
        why=why,
        todo=f"correct {CONFIG}; the contributing chapter shows a whole one",
        section="sec-contributing",
    )


def line_of(path: Path, needle: str) -> int:
    """The first line of a text file that holds `needle`, counted from 1; 1 when there is none."""
    for number, line in enumerate(untrusted_data.content(path).decode(errors="replace").splitlines(), 1):
        if needle in line:
            return number
    return 1


def _names(value: Any) -> bool:
    """Whether a list holds only texts; none at all is a list too."""
    return value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _short(value: Any) -> str:
    """A value as a message can show it."""
    shown = repr(value)
    return shown if len(shown) <= 100 else f"{shown[:100]}..."


class _Reader:
    """Turns the list under `chapters:` into pages and parts and counts the numbered chapters."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.count = 0
        self.seen: set[str] = set()

    def read(self, entries: list[Any]) -> Iterator[Page | Part]:
        for entry in entries:
            if isinstance(entry, str):
                yield self.page(entry)
            elif isinstance(entry, dict) and isinstance(entry.get("part"), str) and _names(entry.get("chapters")):
                opening = entry["part"]
                page = self.page(opening, part=True) if opening.endswith(".qmd") else None
                chapters = tuple(self.page(item) for item in entry.get("chapters") or [])
                yield Part("" if page else opening, page, chapters)
            else:
                raise _config_error(f"lists {_short(entry)}, which is neither a chapter nor a part",
                                    "the table of contents can't be read", self.root, "chapters:")

    def page(self, name: str, *, part: bool = False) -> Page:
        path = str(PurePosixPath(name))
        if leads_out(self.root, path):
            raise _config_error(f"lists {name}, which is not a chapter of the book: {OUTSIDE}",
                                "its page would be written outside the site", self.root, name)
        source = own_file(self.root, path)
        if source is None:
            raise _config_error(f"lists {_short(name)[1:-1]}, which does not exist",
                                "the book can't be rendered without it", self.root, name)
        if path in self.seen:
            raise _config_error(f"lists {name} twice", "a page has one place in the book", self.root, name)
        self.seen.add(path)
        numbered = not part and not _opens_unnumbered(source)
        self.count += numbered
        return Page(path, self.count if numbered else None, part)


def _opens_unnumbered(source: Path) -> bool:
    """Whether the page's title carries `.unnumbered` (or `-`), so that it takes no chapter number."""
    try:
        lines = untrusted_data.content(source).decode(errors="replace").splitlines()
    except HandbookError:
        return False
    title = next((line for line in lines if line.startswith("# ")), "")
    attributes = title.rpartition("{")[2] if title.rstrip().endswith("}") else ""
    return ".unnumbered" in attributes or attributes.strip(" }\n") == "-"
