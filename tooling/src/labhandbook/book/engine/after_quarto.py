"""What Quarto's site gets after a render: the embedded engine's search, and descriptions in the list for programs."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from labhandbook.book.engine import llms
from labhandbook.book.engine.pandoc_engine import SITE
from labhandbook.book.engine.render import copy_into
from labhandbook.book.engine.search_index import INDEX, search_script, sections
from labhandbook.book.model import Book
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError

SEARCH = ("search.js", "search.css", "minisearch.js")
ABOUT = re.compile(r'<meta name="description" content="([^"]*)"')
# The drawings that pictures.lua puts into a page, and what pandoc makes of one in the page's Markdown.
DRAWING = re.compile(r'<svg aria-label="([^"]*)" data-src="([^"]*)"')
EMBEDDED = re.compile(r"!\[[^\]]*\]\(data:image/svg\+xml[^)]*\)")


def complete(book: Book, site: Path) -> int:
    """Put the search into `site`, the folder of a book that Quarto rendered; how many pages it finds.

    Raises HandbookError when no page of the book is there.
    """
    found: list[dict[str, str]] = []
    said: dict[str, tuple[str, str]] = {}
    pages = [page for page in book.pages if (site / page.url).is_file()]
    for page in pages:
        html = untrusted_data.text(site / page.url, page.url)
        own = sections(page.url, html)
        found += own
        markdown, about = site / llms.markdown_of(page.url), ABOUT.search(html)
        if markdown.is_file():
            said[page.url] = (own[0]["page"] if own else page.url, unescape(about[1]) if about else "")
            _name_drawings(markdown, html)
    if not pages:
        raise HandbookError(f"{site} holds no page of the book", todo="render the book first, or name its folder",
                            section="sec-contributing-preview")
    for name in SEARCH:
        copy_into(SITE / name, site / "site" / name)
    (site / INDEX).write_text(search_script(book, found), encoding="utf-8")
    if said and llms.wanted(book):
        llms.write_list(book, said, site)
    return len(pages)


def _name_drawings(markdown: Path, html: str) -> None:
    """Lead the pictures of a page's Markdown to their files: pandoc writes a drawing in the page out as data."""
    drawings = iter(DRAWING.findall(html))
    text = EMBEDDED.sub(lambda data: "![{}]({})".format(*map(unescape, next(drawings, ("", "")))),
                        markdown.read_text(encoding="utf-8"))
    markdown.write_text(text, encoding="utf-8")
