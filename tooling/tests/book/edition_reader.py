"""What a reader finds in the editions of a whole book, EPUB and PDF: its chapters, words, outline and links."""

from __future__ import annotations

import posixpath
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from tooling.tests.book.page_reader import EXTERNAL, attribute, squeeze, text_of

# The smallest parts of a text that one line after the other can be compared by.
BLOCKS = ("h1, h2, h3, h4, h5, h6, p:not(.code-filename, .callout-title), pre, td, th, dt, figcaption, caption, "
          "li:not(:has(p, pre, ul, ol))")
# What an edition says in its own way: its title block, the days of a page, and citations, whose years have letters
# where the whole book cites two works of one author and year.
OWN = "header.title-block p, header.quarto-title-block p, .page-facts, p:has([data-confirmed]), .citation, .csl-entry"
OPF = "{http://www.idpf.org/2007/opf}"
# How many words in a row are looked for; and what takes the place of a formula, which a PDF draws.
RUN, FORMULA = 4, "∎"
Entry = tuple[int, str]


def letters(text: str) -> str:
    """A text without what typesetting adds: white space, hyphens, letters that are one, letters of formulas."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text))


def blocks(text: Tag, *, formulas: bool = True) -> list[str]:
    """The words of each paragraph, cell and heading, as far as editions say the same."""
    for own in text.select(OWN):
        own.decompose()
    for formula in [] if formulas else text.select("math"):
        formula.replace_with(f" {FORMULA} ")
    return [words for block in text.select(BLOCKS) if letters(words := text_of(block))]


def missing(wanted: list[str], text: str) -> list[str]:
    """Those of `wanted` whose letters are not in a text."""
    there = letters(text)
    return [words for words in wanted if letters(words) not in there]


def lost(wanted: list[str], text: str) -> list[str]:
    """Those of `wanted` that are not in the text of a PDF, where the foot of a page may come between two words."""
    there = letters(text)

    def found(words: str) -> bool:
        pieces = [piece.split() for piece in words.split(FORMULA)]
        runs = [letters(" ".join(piece[place:place + RUN]))
                for piece in pieces for place in range(max(1, len(piece) - RUN + 1))]
        return sum(run in there for run in runs) >= len(runs) / 2

    return [words for words in wanted if not found(words)]


class Epub:
    """An EPUB file: its documents in the order of reading."""

    def __init__(self, file: Path) -> None:
        self.archive = zipfile.ZipFile(file)
        self.names = set(self.archive.namelist())

    @cached_property
    def package(self) -> str:
        """The name of the file that lists the others."""
        return next(name for name in self.names if name.endswith(".opf"))

    @cached_property
    def documents(self) -> dict[str, BeautifulSoup]:
        """The documents by their names, as the spine lists them."""
        package = ElementTree.fromstring(self.archive.read(self.package))
        files = {item.get("id"): str(item.get("href")) for item in package.iter(f"{OPF}item")}
        folder = posixpath.dirname(self.package)
        names = [posixpath.join(folder, files[item.get("idref")]) for item in package.iter(f"{OPF}itemref")]
        return {name: self._document(name) for name in names}

    def _document(self, name: str) -> BeautifulSoup:
        text = self.archive.read(name).decode()
        ElementTree.fromstring(text)
        return BeautifulSoup(text.partition("?>")[2], "html.parser")

    @cached_property
    def chapters(self) -> list[Tag]:
        """The bodies of the chapters: what is not the cover, the title page or the list of contents."""
        return [document.body for document in self.documents.values()
                if document.body and "frontmatter" not in attribute(document.body, "epub:type")
                and document.body.get("id") != "cover"]

    @property
    def outline(self) -> list[Entry]:
        """The list of contents: how deep an entry is, and what it says."""
        nav = next(document for name, document in self.documents.items() if name.endswith("nav.xhtml"))
        return [(len(link.find_parents("ol")) - 1, text_of(link)) for link in nav.select("nav#toc li > :is(a, span)")]

    @property
    def links(self) -> Iterator[tuple[str, str, bool]]:
        """The links inside the book: the document, the target, and whether it is there."""
        ids = {name: {attribute(tag, "id") for tag in document.find_all(id=True)}
               for name, document in self.documents.items()}
        for name, document in self.documents.items():
            for link in document.select("a[href]"):
                href = attribute(link, "href")
                if EXTERNAL.match(href):
                    continue
                path, _, fragment = unquote(href).partition("#")
                file = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
                yield name, href, file in self.names and (not fragment or fragment in ids.get(file, ()))


class Pdf:
    """A PDF file."""

    def __init__(self, file: Path) -> None:
        self.reader = PdfReader(file)

    @cached_property
    def pages(self) -> list[str]:
        """The text of each page."""
        return [squeeze(page.extract_text()) for page in self.reader.pages]

    @property
    def text(self) -> str:
        """The text of all pages but the first, which is the cover."""
        return squeeze(" ".join(self.pages[1:]))

    @property
    def outline(self) -> list[Entry]:
        """The outline that programs show beside the pages: how deep an entry is, and what it says."""
        def walk(entries: Any, depth: int) -> Iterator[Entry]:
            for entry in entries:
                if isinstance(entry, list):
                    yield from walk(entry, depth + 1)
                else:
                    yield depth, squeeze(str(entry.title))
        return list(walk(self.reader.outline, 0))

    @property
    def annotations(self) -> Iterator[DictionaryObject]:
        """The places that a reader can click."""
        for page in self.reader.pages:
            for annotation in page.get("/Annots", []):
                if (found := annotation.get_object()).get("/Subtype") == "/Link":
                    yield found

    @property
    def links(self) -> Iterator[tuple[str, bool]]:
        """The links inside the book: where they lead, and whether that is a page of it."""
        pages = {page.indirect_reference.idnum for page in self.reader.pages if page.indirect_reference}
        for link in self.annotations:
            destination = link.get("/Dest") or link.get("/A", {}).get("/D")
            if destination is None:
                continue
            target, name = destination.get_object(), str(destination)
            if isinstance(target, str):
                named = self.reader.named_destinations.get(target)
                target = named.dest_array if named else None
            first = target[0] if isinstance(target, ArrayObject) else None
            yield name, isinstance(first, IndirectObject) and first.idnum in pages
