"""What programs read of a site: `llms.txt`, which lists the Markdown of its pages. Quarto names the files so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from labhandbook.book.model import Book


def wanted(book: Book) -> bool:
    """Whether `_quarto.yml` asks for it, by `website: llms-txt: true`."""
    site = book.config.get("website")
    return isinstance(site, dict) and site.get("llms-txt") is True


def markdown_of(url: str) -> str:
    """The address of a page's Markdown: `chapters/kit.llms.md`."""
    return f"{url.removesuffix('.html')}.llms.md"


def write_list(book: Book, said: Mapping[str, tuple[str, str]], target: Path) -> None:
    """Write `llms.txt` (llmstxt.org): the pages in the book's order, each with what is `said` of it by its address.

    That is its title and its description, "" where it has none.
    """
    site = str(book.settings.get("site-url", "")).rstrip("/")
    lines = [f"# {book.title}", ""]
    if about := str(book.settings.get("description") or said.get("index.html", ("", ""))[1]):
        lines += [f"> {about}", ""]
    lines += ["## Pages", ""]
    for page in book.pages:
        if page.url in said:
            title, about = said[page.url]
            address = f"{site}/{markdown_of(page.url)}" if site else markdown_of(page.url)
            lines.append(f"- [{title}]({address})" + (f": {about}" if about else ""))
    (target / "llms.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")
