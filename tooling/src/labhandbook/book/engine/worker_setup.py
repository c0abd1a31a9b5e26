"""What every worker of the engine is given before it reads a page: extension, bibliography, settings of the pages."""

from __future__ import annotations

from typing import Any

from labhandbook.book.engine.kept_answers import file_digest
from labhandbook.book.engine.site_files import SITE
from labhandbook.book.extensions import extension_files
from labhandbook.book.model import Book
from labhandbook.book.words import words
from labhandbook.core import untrusted_data


def worker_setup(book: Book) -> dict[str, Any]:
    """The request `setup`.

    Raises HandbookError when a file that all pages need can't be read.
    """
    lua = sorted((book.root / "_extensions").glob("**/*.lua"))
    return extension_files(book) | {
        # What the workers open.
        "inputs": [file_digest(path) for path in (*lua, book.root / (book.citation_style or "none"))],
        "bibliography": [{"name": name, "text": untrusted_data.text(book.root / name, name)}
                         for name in book.bibliography],
        "settings": {"template": (SITE / "page.html").read_text(encoding="utf-8"), "words": words(book),
                     "book": book.title, "site": str(book.settings.get("site-url", "")).rstrip("/"),
                     "csl": book.citation_style, "cites": bool(book.named_bibliography or book.bibliography),
                     "new-window": book.html_option("link-external-newwindow") is True,
                     "number": book.numbered, "depth": book.number_option("number-depth", 6),
                     "toc": book.html_option("toc", True) is not False,
                     "toc-depth": book.number_option("toc-depth", 3)},
    }
