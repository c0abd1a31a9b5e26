"""What surrounds a page's text: the sidebar, previous and next, links to edit and report, the head."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from labhandbook.book.contents import Page, Part
from labhandbook.book.engine.card import card
from labhandbook.book.model import INCLUSIONS, Book, as_list, people
from labhandbook.book.words import words
from labhandbook.core import untrusted_data

SIDEBAR = "<!-- sidebar -->"
TOC = ("<!-- toc -->", "<!-- /toc -->")
# What a page gives, in a paragraph, and the facts about the page.
OPENING = re.compile(r'\s*(<p>.*?</p>\s*)?(<div class="page-facts">.*?</div>\s*)?', re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """What the navigation shows of a page: its title as text and as HTML, and the title's id.

    A page without a title is called by its address, and has no heading.
    """

    title: str
    html: str
    id: str
    heading: bool = True


def prefix(page: Page) -> str:
    """What leads from a page back to the site's root: `../../` or nothing."""
    return "../" * (len(PurePosixPath(page.path).parts) - 1)


class Navigation:
    """Builds the navigation of all pages from the book's contents and the pages' titles."""

    def __init__(self, book: Book, entries: dict[str, Entry], downloads: Collection[str] = ()) -> None:
        self.book = book
        self.entries = entries
        self.downloads = [kind for kind in as_list(book.settings.get("downloads")) if kind in downloads]
        self._words = words(book)
        self._card = {name: escape(value) for name, value in card(book).items()}
        self._sidebars: dict[str, str] = {}
        self._included = {name.removeprefix("include-"): "\n".join(
            untrusted_data.text(book.root / file, file) if file else text for file, text in book.inclusions(name))
            for name in INCLUSIONS}
        pages = book.pages
        self._before = {page: before for before, page in pairwise(pages)}
        self._after = dict(pairwise(pages))

    def variables(self, page: Page, parsed: Mapping[str, Any], meta: Mapping[str, Any], *,
                  numbered: bool) -> dict[str, str]:
        """The template's variables for one page, as HTML fragments and text.

        `parsed` is what was read in it, `meta` its front matter, and `numbered` says whether its title shows its
        number. The first page has the book's own title block.
        """
        # As Quarto does, the window says the number too, and a page without a description has the book's.
        titled = not page.home and self.entries[page.path].heading
        number = page.label if numbered and titled else None
        head = f"{self._words['crossref-apx-prefix']} {number} — " if page.appendix and number else (
            f"{number}\xa0 " if number else "")
        description, holder = parsed.get("description", ""), self.book.settings if page.home else meta
        subtitle = str(holder.get("subtitle") or "") if page.home else parsed.get("subtitle", "")
        day = str(holder.get("date") or "")
        byline = [people(holder.get("author")), *([day] if re.match(r"\d", day) else [])]
        title = self.entries[page.path].title
        root, alone = prefix(page), meta.get("page-navigation") is False
        found = {
            "lang": self.book.language,
            "root": root,
            "book-title": escape(self.book.title),
            "title-id": "" if page.home else self.entries[page.path].id,
            "head-title": escape(self.book.title if page.home else f"{head}{title} – {self.book.title}"),
            "og-title": escape(self.book.title if page.home else title),
            "group": escape(self.book.author),
            "subtitle": escape(subtitle),
            "byline": escape(", ".join(filter(None, byline))),
            "home": str(page.home or ""),
            "before-title": self._before_title(page, number) if titled else "",
            "sidebar": SIDEBAR,
            "toc-title": escape(self._words["toc-title-website"]),
            "breadcrumb": self._breadcrumb(page),
            "previous": "" if alone else self._step(page, self._before.get(page), "Previous", "prev"),
            "next": "" if alone else self._step(page, self._after.get(page), "Next", "next"),
            "actions": self._actions(page),
            "repository": escape(str(self.book.settings.get("repo-url", "")).rstrip("/")),
            "downloads": self._downloads(root),
            "styles": self._styles(root),
            "scripts": self._scripts(root),
        } | self._included
        if words := description or str(self.book.settings.get("description") or ""):
            found["description"] = escape(words)
            if page.home:
                found["lead"] = found["description"]
        site = str(self.book.settings.get("site-url", "")).rstrip("/")
        if site:
            found["canonical"] = escape(f"{site}/{page.url}")
            found |= self._card
        return found

    def complete(self, page: Page, html: str) -> str:
        """Put the sidebar into a page that the template left room in, and the page's contents after its opening.

        The sidebar grows with the book, and pandoc would set it again for every page.
        """
        before, start, rest = html.partition(TOC[0])
        toc, end, body = rest.partition(TOC[1])
        if opening := OPENING.match(body):
            html = before + opening[0] + start + toc + end + body[opening.end():]
        if "<math" in html:  # nothing moves when the font comes with the page
            html = html.replace("</title>", "</title>" + "".join(
                f'\n<link rel="preload" href="{prefix(page)}{name}" as="font" crossorigin>'
                for name in self.book.styles if name.endswith(".woff2")), 1)
        return html.replace(SIDEBAR, self._sidebar(page), 1)

    def _before_title(self, page: Page, number: str | None) -> str:
        if page.appendix and number:
            return f'<span class="chapter-title">{escape(self._words["crossref-apx-prefix"])} {number} — '
        return f'{_number(number)}<span class="chapter-title">'

    def _label(self, page: Page) -> str:
        html = escape(page.text) if page.text else self.entries[page.path].html
        return f'{_number(page.label if self.book.numbered else None)}<span class="chapter-title">{html}</span>'

    def _sidebar(self, page: Page) -> str:
        root = prefix(page)
        if root not in self._sidebars:
            self._sidebars[root] = "\n".join(self._sidebar_entry(entry, root) for entry in self.book.contents)
        link = f'href="{root}{page.url}"'
        return self._sidebars[root].replace(link, f'{link} aria-current="page"', 1)

    def _sidebar_entry(self, entry: Page | Part, root: str) -> str:
        if isinstance(entry, Page):
            return f'<li><a href="{root}{entry.url}">{self._label(entry)}</a></li>'
        opening = (f'<a class="part" href="{root}{entry.page.url}">{self._label(entry.page)}</a>' if entry.page
                   else f'<span class="part">{escape(self._title(entry))}</span>')
        chapters = "\n".join(self._sidebar_entry(chapter, root) for chapter in entry.chapters)
        return f"<li>{opening}\n<ul>\n{chapters}\n</ul></li>"

    def _title(self, part: Part) -> str:
        """The title of a part without a page; the book's language has the one of the appendices."""
        return self._words["section-title-appendices"] if part.chapters and part.chapters[0].appendix else part.title

    @property
    def openings(self) -> dict[str, str]:
        """The first chapter of each part without a page -> the title of the part."""
        return {part.chapters[0].path: self._title(part) for part in self.book.contents
                if isinstance(part, Part) and not part.page and part.chapters}

    def _breadcrumb(self, page: Page) -> str:
        for entry in self.book.contents:
            if isinstance(entry, Part) and page in entry.chapters:
                if entry.page:
                    return f'<a href="{prefix(page)}{entry.page.url}">{self.entries[entry.page.path].html}</a>'
                return escape(self._title(entry))
        return ""

    def _step(self, page: Page, other: Page | None, word: str, rel: str) -> str:
        if other is None:
            return ""
        return (f'<a class="{rel}" rel="{rel}" href="{prefix(page)}{other.url}"><span class="way">{word}</span> '
                f'{self._label(other)}</a>')

    def _actions(self, page: Page) -> str:
        settings = self.book.settings
        repo = str(settings.get("repo-url", "")).rstrip("/")
        if not repo:
            return ""
        branch = settings.get("repo-branch", "main")
        known = {"edit": f"{repo}/edit/{branch}/{page.path}", "source": f"{repo}/blob/{branch}/{page.path}",
                 "issue": f"{repo}/issues/new"}
        names = {name: escape(self._words[f"repo-action-links-{name}"]) for name in known}
        return "\n".join(f'<li><a href="{escape(known[name])}">{names[name]}</a></li>'
                         for name in settings.get("repo-actions") or [] if name in known)

    def _downloads(self, root: str) -> str:
        names = {"pdf": "PDF", "epub": "EPUB"}
        return "\n".join(f'<li><a href="{root}{download_name(self.book, kind)}" download>{names[kind]}</a></li>'
                         for kind in self.downloads)

    def _styles(self, root: str) -> str:
        names = list(as_list(self.book.html_option("css")))
        names += ["site/layout.css", "site/search.css"]
        links = [f'<link rel="stylesheet" href="{root}{name}">' for name in names]
        if icon := self.book.settings.get("favicon"):
            links.append(f'<link rel="icon" href="{root}{icon}">')
        return "\n".join(links)

    def _scripts(self, root: str) -> str:
        return "\n".join(f'<script src="{root}site/{name}.js" defer></script>' for name in ("layout", "search"))


def _number(label: str | None) -> str:
    return f'<span class="chapter-number">{label}</span>\xa0' if label else ""


def download_name(book: Book, kind: str) -> str:
    """The file name of the whole book as PDF or EPUB, as Quarto names it."""
    return f"{book.title.replace(' ', '-')}.{kind}"


def old_addresses(page: Page, meta: dict[str, Any]) -> dict[str, str]:
    """The old addresses of a page, relative to the site's root, by the `aliases:` of its front matter."""
    found = {}
    for alias in as_list(meta.get("aliases")):
        old = alias.lstrip("/") if alias.startswith("/") else posixpath.join(posixpath.dirname(page.url), alias)
        found[alias] = f"{old}index.html" if old.endswith("/") else old
    return found


def redirect(target: str) -> str:
    """A page that sends the reader on to `target`, also without JavaScript, keeping the fragment with it."""
    address = escape(target)
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Moved</title>\n'
            f'<link rel="canonical" href="{address}">\n'
            f'<script>location.replace("{address}" + location.hash)</script>\n'
            f'<noscript><meta http-equiv="refresh" content="0; url={address}"></noscript>\n</head>\n'
            f'<body><p>This page has moved to <a href="{address}">{address}</a>.</p></body>\n</html>\n')
