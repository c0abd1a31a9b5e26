"""The Quarto extensions that a book brings along and lists under `filters:`."""

from __future__ import annotations

from labhandbook.book.boundary import OUTSIDE, leads_out
from labhandbook.book.model import Book, as_list, line_of, load_yaml
from labhandbook.errors import HandbookError


def extension_files(book: Book) -> dict[str, list[str]]:
    """The Lua files that the book's own extensions contribute, as Quarto finds them.

    Raises HandbookError when a filter that `_quarto.yml` lists is not there.
    """
    found: dict[str, list[str]] = {"shortcodes": [], "filters": []}
    for name in as_list(book.config.get("filters")):
        folder = book.root / "_extensions" / name
        config = load_yaml(folder / "_extension.yml", f"_extensions/{name}/_extension.yml")
        for kind, files in found.items():
            entries = config.get("contributes", {}).get(kind) or []
            for entry in entries:
                path = f"_extensions/{name}/{entry['path'] if isinstance(entry, dict) else entry}"
                if leads_out(book.root, path):
                    shown = f"_extensions/{name}/_extension.yml"
                    raise HandbookError(f"{shown} names {path}, which is not a file of the book: {OUTSIDE}",
                                        where=f"{shown}:{line_of(book.root / shown, str(entry))}",
                                        why="the engine runs it", todo="put the file beside _extension.yml",
                                        section="sec-contributing-check")
                files.append(str(book.root / path))
    return found
