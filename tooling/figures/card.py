"""The card of a shared link, chapters/card.png: title, group and university, 1200 by 630 pixels.

Link previews show no SVG, so Typst draws this one, in the one font that every Typst carries and in the colours of
tokens.css. The file holds its own source and the version of Typst: another version may set a pixel elsewhere.
"""

from __future__ import annotations

import zlib
from importlib.metadata import version

import typst

from labhandbook.book.load import load_book
from tooling.figures.drawing import COLOURS, ROOT

FILE = "chapters/card.png"
WIDTH, HEIGHT = 1200, 630
SOURCE = """\
#set page(width: {width}pt, height: {height}pt, margin: (left: 140pt, right: 80pt, y: 90pt), fill: rgb("{bg}"),
  background: place(left, rect(width: 56pt, height: 100%, fill: rgb("{accent}"))))
#set text(font: "Libertinus Serif", fill: rgb("{text}"))
#text(size: 112pt, weight: "bold", fill: rgb("{accent}"), "{title}")
#v(1fr)
#text(size: 52pt, "{group}")
#v(-12pt)
#text(size: 44pt, fill: rgb("{muted}"), "{university}")
"""
SIGNATURE_AND_HEADER = 33  # bytes of a PNG before its other chunks


def source() -> str:
    """What Typst draws: the book's title and author in the light colours of the tokens."""
    book = load_book(ROOT)
    group, _, university = book.author.partition(", ")
    return SOURCE.format(width=WIDTH, height=HEIGHT, title=book.title, group=group, university=university,
                         **{name: COLOURS[name][0] for name in ("bg", "accent", "text", "muted")})


def stamp() -> dict[str, str]:
    """What the file says of itself: the version of Typst and the source, under the names that PNG keeps for them."""
    return {"Software": f"Typst {version('typst')}", "Source": source()}


def chunk(name: str, words: str) -> bytes:
    """A text of a PNG (https://www.w3.org/TR/png-3/#11tEXt)."""
    held = b"tEXt" + name.encode("latin-1") + b"\0" + words.encode("latin-1")
    return (len(held) - 4).to_bytes(4) + held + zlib.crc32(held).to_bytes(4)


def draw() -> bytes:
    """The card as a PNG."""
    made = typst.compile(source().encode(), format="png", ppi=72, ignore_system_fonts=True)
    assert isinstance(made, bytes)
    texts = b"".join(chunk(name, words) for name, words in stamp().items())
    return made[:SIGNATURE_AND_HEADER] + texts + made[SIGNATURE_AND_HEADER:]
