"""The sections of a site's pages as one script: the search in the browser reads it, with a server or without."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser

from labhandbook.book.model import Book, as_list, load_yaml
from labhandbook.core.errors import HandbookError

# The path of the script in the site.
INDEX = "site/sections.js"
# Elements without an end tag (HTML Standard, "Void elements").
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# The id of the main part of Quarto's pages.
QUARTO = "quarto-document-content"
SKIPPED = {"script", "style", "annotation", "svg", "nav"}
BLOCKS = {"p", "li", "td", "th", "div", "pre", "dt", "dd", "figcaption", "caption", "tr"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}


@dataclass
class Section:
    """A section of a page. `id` is "" for what a page says before its first section."""

    id: str
    title: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects the sections of the element that is marked `data-search`, or of Quarto's main part."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[Section] = []
        self._open: list[str] = []
        self._inside: list[Section] = []
        self._main = self._skipped = self._heading = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        self._open.append(tag)
        depth, given = len(self._open), dict(attrs)
        if not self._main:
            if "data-search" in given or given.get("id") == QUARTO:
                self._main = depth
                self._begin("")
        elif not self._skipped:
            if (tag in SKIPPED or "data-search-ignore" in given
                    or {"header-section-number", "chapter-number"} & {*str(given.get("class")).split()}):
                self._skipped = depth
            elif tag == "section":
                self._begin(given.get("id") or "")
            elif tag in HEADINGS and not self._inside[-1].title:
                self._heading = depth
            elif tag in BLOCKS:
                self._inside[-1].text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open:
            depth = len(self._open)
            if self._skipped == depth:
                self._skipped = 0
            if self._heading == depth:
                self._heading = 0
            if self._main == depth:
                self._main = 0
                self._inside.clear()
            closed = self._open.pop()
            if closed == "section" and len(self._inside) > 1:
                self._inside.pop()
            if closed == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._main and not self._skipped:
            section = self._inside[-1]
            (section.title if self._heading else section.text).append(data)

    def _begin(self, id: str) -> None:
        self._inside.append(Section(id))
        self.sections.append(self._inside[-1])


def sections(url: str, html: str) -> list[dict[str, str]]:
    """The sections of a page at `url`: {url, title, page, text}, the first one being the page's beginning.

    A page without an element marked `data-search`, or Quarto's main part, has none.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    found: list[dict[str, str]] = []
    for section in reader.sections:
        title, text = (" ".join("".join(parts).split()) for parts in (section.title, section.text))
        if title or text:
            page = found[0]["page"] if found else title
            found.append({"url": f"{url}#{section.id}" if section.id else url, "title": title or page, "page": page,
                          "text": text})
    return found


def synonyms(book: Book) -> list[list[str]]:
    """Words that mean the same to the book's readers, from `synonyms.yml` of the extensions that the book lists.

    Raises HandbookError when such a file is no list of lists of words.
    """
    found: list[list[str]] = []
    for name in as_list(book.config.get("filters")):
        shown = f"_extensions/{name}/synonyms.yml"
        if not (book.root / shown).is_file():
            continue
        groups = load_yaml(book.root / shown, shown)
        if not (isinstance(groups, list) and all(isinstance(group, list) for group in groups)):
            raise HandbookError(f"{shown} is no list of lists of words", where=f"{shown}:1",
                                why="the search reads it", todo="write each group as [yank, take back]",
                                section="sec-contributing-check")
        found += [[str(word) for word in group] for group in groups]
    return found


def search_script(book: Book, found: list[dict[str, str]]) -> str:
    """The script at INDEX for the sections of all pages. Raises HandbookError as `synonyms` does."""
    data = json.dumps({"synonyms": synonyms(book), "sections": found}, ensure_ascii=False, separators=(",", ":"))
    return f"handbookSections({data});\n"
