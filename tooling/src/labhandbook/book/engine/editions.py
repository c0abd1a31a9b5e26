"""The editions of a book, PDF and EPUB: each is made again only when something that it is made of has changed."""

from __future__ import annotations

import time
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

from labhandbook.book.engine import epub, pdf
from labhandbook.book.engine.kept_answers import digest, file_digest
from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.engine.site_files import SITE


class Edition:
    """The book in one file of a `kind`, "pdf" or "epub". `begin` it as soon as the book is read, then `finish` it."""

    def __init__(self, engine: Engine, kind: str) -> None:
        self._engine, self._kind = engine, kind
        self._source = b""
        self._content: bytes | None = None

    def begin(self) -> None:
        """Find what is kept; else let pandoc write the book. Raises HandbookError when it can't."""
        engine = self._engine
        parts = [Path(module.__file__ or "") for module in (pdf, epub)] + [SITE / "book.typ"]
        self._since = time.time()
        self._key = digest(engine.stands_for("typst" if self._kind == "pdf" else "epub"), version("typst"),
                           [file_digest(path) for path in [*parts, *epub.styles(engine.book)]])
        self._content = engine.answers.find_file(self._kind, self._key)
        if self._content is None:
            self._source = pdf.typst_source(engine) if self._kind == "pdf" else epub.epub(engine)

    def finish(self, shown: Collection[str]) -> bytes:
        """The file; `shown` are the files that the pages show. Raises HandbookError when Typst refuses it."""
        engine = self._engine
        if self._content is None:
            self._content = pdf.pdf(
                engine.book, self._source, shown, engine.made_at) if self._kind == "pdf" else self._source
            if not engine.fleeting:
                engine.answers.keep_file(self._kind, self._key, self._content, since=self._since,
                                         files=engine.opened | dict.fromkeys(shown))
        return self._content
