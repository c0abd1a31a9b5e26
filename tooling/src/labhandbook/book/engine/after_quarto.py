"""What Quarto's site gets after a render: the embedded engine's search, and descriptions in the list for programs."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from html import unescape
from pathlib import Path

from labhandbook.book.engine import llms
from labhandbook.book.engine.render import copy_into
from labhandbook.book.engine.search_index import INDEX, search_script, sections
from labhandbook.book.engine.site_files import SITE
from labhandbook.book.model import Book
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError

SEARCH = ("search.js", "search.css", "minisearch.js")
ABOUT = re.compile(r'<meta name="description" content="([^"]*)"')
# The drawings that pictures.lua puts into a page, and what pandoc makes of one in the page's Markdown.
DRAWING = re.compile(r'<svg aria-label="([^"]*)" data-src="([^"]*)"')
EMBEDDED = re.compile(r"!\[[^\]]*\]\(data:image/svg\+xml[^)]*\)")
# A reference in a page, and in its Markdown, which Quarto writes before the book is numbered: [Table tbl-a](#tbl-a).
REFERENCE = re.compile(r'<a href="([^"]*)" (?:class="quarto-xref"|role="doc-biblioref")[^>]*>(.*?)</a>', re.DOTALL)
UNNUMBERED = re.compile(r"\[([^\[\]]*?)\]\(#([^()\s]+)\)")
TITLE_ID = re.compile(r'<span id="([^"]+)" class="quarto-section-identifier">')


def complete(book: Book, site: Path) -> int:
    """Put the search into `site`, the folder of a book that Quarto rendered; how many pages it finds.

    Raises HandbookError when no page of the book is there.
    """
    found: list[dict[str, str]] = []
    said: dict[str, tuple[str, str]] = {}
    pages = [page for page in book.pages if (site / page.url).is_file()]
    read = {page.url: untrusted_data.text(site / page.url, page.url) for page in pages}
    titles = {url: title[1] for url, html in read.items() if (title := TITLE_ID.search(html))}
    for page in pages:
        html = read[page.url]
        own = sections(page.url, html)
        found += own
        markdown, about = site / llms.markdown_of(page.url), ABOUT.search(html)
        if markdown.is_file():
            said[page.url] = (own[0]["page"] if own else page.url, unescape(about[1]) if about else "")
            text = _named_drawings(markdown.read_text(encoding="utf-8"), html)
            markdown.write_text(_named_references(text, page.url, html, titles), encoding="utf-8")
    if not pages:
        raise HandbookError(f"{site} holds no page of the book", todo="render the book first, or name its folder",
                            section="sec-contributing-preview")
    for name in SEARCH:
        copy_into(SITE / name, site / "site" / name)
    (site / INDEX).write_text(search_script(book, found), encoding="utf-8")
    if said and llms.wanted(book):
        llms.write_list(book, said, site)
    return len(pages)


def _named_drawings(markdown: str, html: str) -> str:
    """A page's Markdown with the pictures led to their files: pandoc writes a drawing in the page out as data."""
    drawings = iter(DRAWING.findall(html))
    return EMBEDDED.sub(lambda data: "![{}]({})".format(*map(unescape, next(drawings, ("", "")))), markdown)


def _named_references(markdown: str, url: str, html: str, titles: dict[str, str]) -> str:
    """A page's Markdown with the words and targets that its cross-references have in the page.

    `titles` are the ids of the pages' titles: the page leads to such a page without a fragment.
    """
    shown: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for href, words in REFERENCE.findall(html):
        path, _, name = unescape(href).partition("#")
        name = name or titles.get(posixpath.normpath(posixpath.join(posixpath.dirname(url), path)), "")
        target = f"{llms.markdown_of(path) if path else ''}#{name}"
        shown[name].append((unescape(re.sub(r"<[^>]*>", "", words)), target))

    def named(link: re.Match[str]) -> str:
        answers = shown.get(link[2])
        if not answers:
            return link[0]
        words, target = answers.pop(0) if len(answers) > 1 else answers[0]
        return f"[{words}]({target})"

    return UNNUMBERED.sub(named, markdown)
