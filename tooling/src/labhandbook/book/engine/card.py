"""The picture that a message shows beside a link to a page: `open-graph: image:` of the book, as Quarto has it."""

from __future__ import annotations

from pathlib import Path

from labhandbook.book.boundary import ADDRESS, own_file
from labhandbook.book.model import Book

PNG = b"\x89PNG\r\n\x1a\n"


def card_files(book: Book) -> list[str]:
    """The card's file relative to the root, if the book names one of its own."""
    image = _said(book, "image")
    return [image.lstrip("/")] if image and not ADDRESS.match(image) else []


def card(book: Book) -> dict[str, str]:
    """The template's variables for the card: its whole address, its words, and the pixels of a PNG.

    Nothing without `site-url:`, since a preview follows only whole addresses.
    """
    site, image = str(book.settings.get("site-url") or "").rstrip("/"), _said(book, "image")
    if not site or not image:
        return {}
    found = {"card": image, "card-alt": _said(book, "image-alt") or book.title}
    for name in card_files(book):
        found["card"] = f"{site}/{name}"
        file = own_file(book.root, name)
        if file:
            found |= _pixels(file)
    return found


def _pixels(file: Path) -> dict[str, str]:
    """The size of a PNG, which is in its first 24 bytes (https://www.w3.org/TR/png-3/#11IHDR)."""
    with file.open("rb") as opened:
        start = opened.read(24)
    if not start.startswith(PNG):
        return {}
    return {"card-width": str(int.from_bytes(start[16:20])), "card-height": str(int.from_bytes(start[20:]))}


def _said(book: Book, name: str) -> str:
    """What `open-graph:` says under a name; it may be only `true`."""
    said = book.settings.get("open-graph")
    return str(said.get(name) or "") if isinstance(said, dict) else ""
