"""The whole book as a PDF: pandoc writes Typst, the `typst` package sets it."""

from __future__ import annotations

import tempfile

from labhandbook.book.pandoc import SITE, Engine
from labhandbook.errors import HandbookError


def pdf(engine: Engine) -> bytes:
    """Set the book that `engine` has read. Raises HandbookError when Typst refuses the source."""
    import typst

    template = (SITE / "book.typ").read_text(encoding="utf-8")
    subtitle = f"As of {engine.changed}. {engine.book.settings.get('site-url', '')}"
    source = engine.compile("typst", template=template, subtitle=subtitle)
    # Typst resolves pictures from its source's folder, so the source lies in the book for a moment.
    with tempfile.NamedTemporaryFile("w", dir=engine.book.root, prefix=".book.", suffix=".typ",
                                     encoding="utf-8") as file:
        file.write(source)
        file.flush()
        try:
            made = typst.compile(file.name, root=str(engine.book.root))
        except typst.TypstError as error:
            raise HandbookError("the PDF can't be set", why=str(error),
                                todo="render with --to html until it is mended", section="sec-contributing") from None
    assert isinstance(made, bytes)
    return made
