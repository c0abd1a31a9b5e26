"""The whole book as an EPUB: pandoc writes the files, and what it has no option for is completed here."""

from __future__ import annotations

import io
import re
import tempfile
import uuid
import zipfile
from pathlib import Path
from xml.dom import minidom

from labhandbook.book.boundary import own_file
from labhandbook.book.contents import Part
from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.engine.pdf import set_typst, typst_source
from labhandbook.book.model import Book, as_list

HEADING = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.S)


def epub(engine: Engine) -> bytes:
    """The book that `engine` has read, with a cover and the book's own style."""
    book, style = engine.book, [str(file) for file in styles(engine.book)]
    with tempfile.TemporaryDirectory(prefix="handbook-epub-") as name:
        cover, made = Path(name, "cover.png"), Path(name, "book.epub")
        cover.write_bytes(set_typst(typst_source(engine, cover=True), Path(name), engine.made_at, picture=True))
        meta = {"date": engine.changed, "cover-image": str(cover), "css": style,
                "identifier": str(book.settings.get("site-url", "")) or _name(book)}
        engine.compile("epub", file=made, meta={key: value for key, value in meta.items() if value})
        return completed(made.read_bytes(), *parts(engine))


def _name(book: Book) -> str:
    """What stands for a book without an address: pandoc would invent another one each time."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{book.author}/{book.title}").urn


def styles(book: Book) -> list[Path]:
    """The style sheets of the book's EPUB."""
    formats = book.config.get("format")
    named = as_list((formats.get("epub") or {}).get("css")) if isinstance(formats, dict) else []
    return [file for name in named if (file := own_file(book.root, name))]


def parts(engine: Engine) -> tuple[dict[str, str], dict[str, str]]:
    """The id of a chapter's title -> that of its part; and the titles of parts without a page, by their ids.

    A part without a page has the id of its first chapter, after a word and a blank: no title has one with a blank.
    """
    def anchor(path: str) -> str:
        return engine.chapters[path].parsed["id"] or re.sub(r"\W+", "-", path, flags=re.ASCII)

    above = {anchor(page.path): anchor(part.page.path) if part.page else f"before {anchor(part.chapters[0].path)}"
             for part in engine.book.contents if isinstance(part, Part) for page in part.chapters}
    return above, {f"before {anchor(path)}": title for path, title in engine.navigation.openings.items()}


def completed(epub: bytes, above: dict[str, str], titles: dict[str, str]) -> bytes:
    """An EPUB whose files have the titles of their chapters, and whose contents have them in their parts.

    `above` and `titles` are what `parts` says.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(epub)) as source, zipfile.ZipFile(made, "w") as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.endswith(("nav.xhtml", "toc.ncx")):
                content = _nested(content, above, titles)
            elif info.filename.endswith(".xhtml"):
                content = _titled(content.decode()).encode()
            target.writestr(info, content)
    return made.getvalue()


def _titled(document: str) -> str:
    heading = HEADING.search(document)
    title = re.sub(r"<[^>]+>|\s+", " ", heading[1]).strip() if heading else ""
    if not title:
        return document
    return re.sub(r"<title>.*?</title>", lambda _: f"<title>{title}</title>", document, count=1)


def _nested(document: bytes, above: dict[str, str], titles: dict[str, str]) -> bytes:
    """A table of contents with the entries of chapters inside those of their parts."""
    tree = minidom.parseString(document)
    entries: dict[str, minidom.Element] = {}
    for kind in ("li", "navPoint"):
        for entry in tree.getElementsByTagName(kind):
            links = [*entry.getElementsByTagName("a"), *entry.getElementsByTagName("content")]
            anchor = (links[0].getAttribute("href") or links[0].getAttribute("src")).rpartition("#")[2]
            entries.setdefault(anchor, entry)
    for part, title in titles.items():
        first = entries.get(part.partition(" ")[2])
        if first and first.parentNode and first.tagName == "li":  # the older list of contents has no titles alone
            entries[part] = first.parentNode.insertBefore(tree.createElement("li"), first)
            entries[part].appendChild(tree.createElement("span")).appendChild(tree.createTextNode(title))
    for chapter, part in above.items():
        if chapter not in entries or part not in entries:
            continue
        holder = entries[part]
        if holder.tagName == "li":
            lists = holder.getElementsByTagName("ol")
            holder = lists[0] if lists else holder.appendChild(tree.createElement("ol"))
        holder.appendChild(entries[chapter])
    return tree.toxml(encoding="utf-8")
