"""The whole book as a PDF: pandoc writes Typst, the `typst` package sets it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from labhandbook.book.engine.pandoc_engine import SITE, Engine
from labhandbook.book.model import Book
from labhandbook.core.errors import HandbookError


def typst_source(engine: Engine) -> bytes:
    """The Typst source of the book that `engine` has read."""
    template = (SITE / "book.typ").read_text(encoding="utf-8")
    subtitle = f"As of {engine.changed}. {engine.book.settings.get('site-url', '')}"
    return engine.compile("typst", template=template, subtitle=subtitle).encode()


def pdf(book: Book, source: bytes, shown: Iterable[str]) -> bytes:
    """Set a Typst source. Raises HandbookError when Typst refuses it.

    It is set in a folder with copies of the files that the pages show. So raw Typst in a chapter reads nothing else,
    and nothing is written into the book.
    """
    import typst

    with tempfile.TemporaryDirectory(prefix="handbook-pdf-") as name:
        folder = Path(name)
        for file in shown:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(book.root / file, folder / file)
        main = folder / ".book.typ"
        main.write_bytes(source)
        try:
            made = typst.compile(str(main), root=name)
        except typst.TypstError as error:
            raise HandbookError("the PDF can't be set", why=str(error),
                                todo="render with --to html until it is corrected",
                                section="sec-contributing") from None
    assert isinstance(made, bytes)
    return made
