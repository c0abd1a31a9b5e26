"""A book read from its folder: `_quarto.yml` is found, checked, and refused where it leads out of the book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labhandbook.book.boundary import ADDRESS, OUTSIDE, leads_out
from labhandbook.book.contents import CONFIG, config_error, read_contents
from labhandbook.book.model import INCLUSIONS, Book, as_list, line_of, read_settings
from labhandbook.core.errors import HandbookError

# What the settings that are read here must be: a text (a number or a day is one too), or a list of texts.
TEXTS = ("project.output-dir", "lang", "book.title", "book.site-url", "book.repo-url", "book.repo-branch",
         "book.open-graph.image", "book.open-graph.image-alt")
LISTS = ("bibliography", "filters", "css", "format.html.css", "csl", "format.html.csl", "project.resources",
         "book.favicon", "book.downloads", "book.repo-actions")


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


def load_book(start: Path, *, render: bool = True) -> Book:
    """Read the book at or above `start`.

    Raises HandbookError when there is no book, its configuration is broken, or a listed chapter is missing; to
    `render` it, or when it asks for house style, also when the configuration names files outside the book.
    """
    root = find_root(start.resolve())
    value = read_settings(root / CONFIG, CONFIG)
    kind = value["project"]["type"]
    if kind.text and kind.text != "book":
        raise config_error(f"describes a {kind.text}: it does not say `project: {{type: book}}`",
                           "only books are read here", kind.line,
                           f"use Quarto for the {kind.text}; for a book write `type: book` and list the chapters")
    book = value["book"]
    if not isinstance(book.held, dict):
        raise config_error("has no `book:` section", "this folder is not a book project", value.at("book"))
    if not kind.text:
        raise config_error("does not say `project: {type: book}`", "only books are read here", value.at("project"))
    config = value.data
    _check_types(config, root)
    if not book["chapters"].items:
        profiles = sorted(path.name for path in root.glob("_quarto-*.yml"))
        why = f"profiles such as {profiles[0]} are not read here" if profiles else "a book needs an index.qmd"
        raise config_error("lists no chapters under `book: chapters:`", why, value.at("book"))
    found = Book(root, config, read_contents(root, book))
    _keep_inside(found, everything=render or found.house_style)
    return found


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
            raise config_error(f"has {found} under `{place.replace('.', ': ')}:`", f"{kind} belongs there",
                               line_of(root / CONFIG, f"{place.rpartition('.')[2]}:"))


def _empty(config: dict[str, Any], place: str) -> bool:
    """Whether a setting is named without a value."""
    outer, _, name = place.rpartition(".")
    table = config.get(outer, {}) if outer else config
    return isinstance(table, dict) and name in table and table[name] is None


def _keep_inside(book: Book, *, everything: bool) -> None:
    """Refuse a configuration that runs filters outside the book.

    With `everything`, also one that shows or reads other files from there, or whose output folder holds the book.
    """
    filters = [f"_extensions/{name}" for name in as_list(book.config.get("filters"))]
    named = {"css": as_list(book.html_option("css")), "favicon": as_list(book.settings.get("favicon")),
             **{name: [file for file, _ in book.inclusions(name) if file] for name in INCLUSIONS},
             "bibliography": book.named_bibliography, "csl": as_list(book.html_option("csl")), "filters": filters}
    for key, names in named.items() if everything else [("filters", filters)]:
        for name in names:
            if leads_out(book.root, name) or ADDRESS.match(name):
                shown = name.removeprefix("_extensions/") if key == "filters" else name
                raise HandbookError(f"{key}: {shown} is not a file of the book: {OUTSIDE}",
                                    where=f"{CONFIG}:{line_of(book.root / CONFIG, shown)}",
                                    why="a render shows and copies what _quarto.yml names",
                                    todo="copy the file into the book and write its path from the book's root",
                                    section="sec-contributing-check")
    if not everything:
        return
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
