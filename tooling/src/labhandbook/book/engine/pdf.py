"""The whole book as a PDF: pandoc writes Typst, the `typst` package sets it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.engine.site_files import SITE
from labhandbook.book.model import Book
from labhandbook.core.errors import HandbookError

PPI = 120.0  # of a cover: 1,000 by 1,400 pixels
COVER_ENDS = "// The EPUB's cover"


def typst_source(engine: Engine, *, cover: bool = False) -> bytes:
    """The Typst source of the book that `engine` has read, or only of its cover."""
    template = (SITE / "book.typ").read_text(encoding="utf-8")
    as_of = f"As of {engine.changed}. " if engine.changed else ""
    subtitle = f"{as_of}{engine.book.settings.get('site-url', '')}"
    pages = () if cover else engine.book.pages
    if cover:
        template = template.partition(COVER_ENDS)[0]
    return engine.compile("typst", pages, template=template, meta={"subtitle": subtitle}).encode()


def pdf(book: Book, source: bytes, shown: Iterable[str], made_at: int) -> bytes:
    """Set a Typst source. Raises HandbookError when Typst refuses it.

    The PDF says it was `made_at` that time, in seconds since 1970. It is set in a folder with copies of the files
    that the pages show. So raw Typst in a chapter reads nothing else, and nothing is written into the book.
    """
    with tempfile.TemporaryDirectory(prefix="handbook-pdf-") as name:
        folder = Path(name)
        for file in shown:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(book.root / file, folder / file)
        return set_typst(source, folder, made_at)


def set_typst(source: bytes, folder: Path, made_at: int, *, picture: bool = False) -> bytes:
    """The PDF of a Typst source that sees only `folder`, or a picture of its one page."""
    import typst

    main = folder / ".book.typ"
    main.write_bytes(source)
    try:
        made = typst.compile(str(main), root=str(folder), format="png" if picture else "pdf", ppi=PPI,
                             timestamp=made_at)
    except typst.TypstError as error:
        raise HandbookError("the PDF can't be set", why=str(error),
                            todo="render with --to html until it is corrected",
                            section="sec-contributing") from None
    assert isinstance(made, bytes)
    return made
