"""The Quarto extensions that a book brings along and lists under `filters:`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from labhandbook.book.book_rules import SUPPORTED
from labhandbook.book.boundary import OUTSIDE, leads_out, own_file
from labhandbook.book.contents import CONFIG
from labhandbook.book.model import Book, as_list, line_of, load_yaml
from labhandbook.book.words import all_words
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Severity
from labhandbook.core.yaml_reader import read_yaml


def extension_files(book: Book) -> dict[str, list[str]]:
    """The Lua files that the book's own extensions contribute, as Quarto finds them; none of a book that does not use
    the handbook's extension: those of others are written for Quarto's own functions.

    Raises HandbookError when a filter that `_quarto.yml` lists is not there.
    """
    found: dict[str, list[str]] = {"shortcodes": [], "filters": []}
    for name in as_list(book.config.get("filters")) if book.house_style else ():
        folder = book.root / "_extensions" / name
        config = load_yaml(folder / "_extension.yml", f"_extensions/{name}/_extension.yml")
        for kind, files in found.items():
            shown = f"_extensions/{name}/_extension.yml"
            contributes = config.get("contributes") if isinstance(config, dict) else None
            entries = contributes.get(kind) or [] if isinstance(contributes, dict) else []
            for entry in entries if isinstance(entries, list) else [entries]:
                file = entry.get("path") if isinstance(entry, dict) else entry
                if not isinstance(file, str):
                    raise HandbookError(f"{shown} names no file under `{kind}:`",
                                        where=f"{shown}:{line_of(book.root / shown, kind)}",
                                        why="the engine runs the Lua files that are listed there",
                                        todo="list the names of Lua files, or mappings with a `path:`",
                                        section="sec-contributing-check")
                path = f"_extensions/{name}/{file}"
                if leads_out(book.root, path):
                    raise HandbookError(f"{shown} names {path}, which is not a file of the book: {OUTSIDE}",
                                        where=f"{shown}:{line_of(book.root / shown, str(entry))}",
                                        why="the engine runs it", todo="put the file beside _extension.yml",
                                        section="sec-contributing-check")
                files.append(str(book.root / path))
    return found


def foreign_shortcodes(book: Book) -> set[str]:
    """The names in the Lua files of the other extensions: the shortcodes that they answer are among them."""
    found: set[str] = set()
    for path in sorted((book.root / "_extensions").glob("**/*.lua")):
        name = path.relative_to(book.root).as_posix()
        if own_file(book.root, name) and not name.startswith("_extensions/handbook/"):
            with contextlib.suppress(HandbookError):
                found |= set(re.findall(r"[A-Za-z][\w-]*", untrusted_data.text(path, name)))
    return found


# Settings that change what a page shows and that the embedded engine does not read, of a page and of the book.
PAGE_NOT_READ = ("template", "template-partials", "reference-location", "code-fold", "tbl-colwidths",
                 "description-meta")
NOT_READ = ("metadata-files", "book.page-footer", "book.body-footer", "book.body-header", "book.navbar",
            "book.sidebar", "book.cover-image", "shortcodes",
            *(f"{place}{name}" for place in ("", "format.html.") for name in PAGE_NOT_READ))
# Of `crossref:` the engine reads these; the others change numbers.
CROSSREF = {"fig-title", "tbl-title", "title-delim", "fig-prefix", "tbl-prefix", "sec-prefix", "eq-prefix"}


def not_read(book: Book) -> Iterator[Finding]:
    """The settings of `_quarto.yml` that only Quarto reads, with their lines."""
    whole = read_yaml(untrusted_data.text(book.root / CONFIG, CONFIG), CONFIG)

    def unread(line: int, message: str) -> Finding:
        return Finding(CONFIG, line, SUPPORTED, message, Severity.WARNING)

    for name in NOT_READ:
        *outer, key = name.split(".")
        place = whole
        for each in outer:
            place = place[each]
        if key in place.map:
            yield unread(place.at(key), f"`{key}:` is not read by the embedded engine")
    for key in whole["crossref"].map.keys() - CROSSREF:
        yield unread(whole["crossref"].at(key), f"`crossref: {key}:` is not read by the embedded engine")
    if (style := str(book.html_option("csl") or "")) and not book.citation_style:
        yield unread(line_of(book.root / CONFIG, style), f"the citation style {style} is not read by the embedded "
                     "engine: it is no file of the book, or it points to another style")
    language = book.language
    if not language.startswith("en"):
        what = "search and navigation" if language.partition("-")[0] in all_words() else "its words"
        yield unread(whole.at("lang"), f"the embedded engine writes {what} in English, not in {language}")
    for item in whole["filters"].words if not book.house_style else ():
        yield unread(item.line, f"the filter {item.text} is not run by the embedded engine")
