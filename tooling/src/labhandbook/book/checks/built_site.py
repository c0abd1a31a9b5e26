"""Checks of the built site, whichever engine built it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote, urlsplit

from labhandbook.book.book_rules import SITE_ID, SITE_LINK, SITE_PAGE
from labhandbook.book.checks.check_input import BOOK, Reading, Site, unverified
from labhandbook.core.rules import Finding

HIDDEN = re.compile(r"<!--.*?-->|<(script|style|template)\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
# Not those of the head: no link leads to a style sheet, and Quarto gives its two themes one id.
TAG = re.compile(r"<(?!(?:link|meta)\b)[A-Za-z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
ID = re.compile(r"\sid\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
MAIN = re.compile(r"<main\b.*?</main\s*>", re.DOTALL | re.IGNORECASE)
FURNITURE = re.compile(r"<(header|nav|footer|h1)\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
PICTURE = re.compile(r"<(?:img|svg|video|iframe|object|math)\b", re.IGNORECASE)
REDIRECT = re.compile(r"http-equiv\s*=\s*[\"']?refresh|location\.replace\(", re.IGNORECASE)


def visible(html: str) -> str:
    """A page without comments, scripts and styles; the lines keep their numbers."""
    return HIDDEN.sub(lambda match: "\n" * match[0].count("\n"), html)


@BOOK.finds(SITE_ID)
def site_id(reading: Reading) -> Iterator[Finding]:
    """Ids that a page gives twice."""
    for page, html in (reading.site.pages if reading.site else {}).items():
        count: Counter[str] = Counter()
        shown = visible(html)
        for tag in TAG.finditer(shown):
            if (match := ID.search(tag[0])) and (name := unescape(match[1] or match[2] or match[3] or "")):
                count[name] += 1
                if count[name] == 2:
                    assert reading.site
                    number = shown.count("\n", 0, tag.start()) + 1
                    yield Finding(reading.site.place(page), number, SITE_ID, f"#{name} is used twice on this page")


def is_empty(html: str) -> bool:
    """Whether a page shows neither a word nor a picture besides its title and its furniture."""
    if REDIRECT.search(html):
        return False
    shown = visible(html)
    main = MAIN.search(shown)
    text = FURNITURE.sub("", main[0] if main else shown)
    return not PICTURE.search(text) and not re.search(r"\w", unescape(re.sub(r"<[^>]*>", " ", text)))


@BOOK.finds(SITE_PAGE)
def site_page(reading: Reading) -> Iterator[Finding]:
    """Chapters without a page, and pages without text."""
    site = reading.site
    if not site:
        return
    for page in reading.book.pages:
        if page.url not in site.pages:
            yield Finding(site.place(page.url), 0, SITE_PAGE, f"{page.path} has no page in the built site")
    for name, html in site.pages.items():
        if is_empty(html):
            yield Finding(site.place(name), 0, SITE_PAGE, f"{name} shows no text")


@BOOK.finds(SITE_LINK)
def site_link(reading: Reading) -> Iterator[Finding]:
    """What lychee can't follow; one finding for a target that many pages share, as menus do."""
    if not reading.site:
        return
    ran = reading.tools["lychee"].result()
    if ran.output is None:
        yield unverified(SITE_LINK, ran.problem)
        return
    broken: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for file, entries in sorted(json.loads(ran.output)["error_map"].items()):
        page = _inside(reading.site, file)
        for entry in entries:
            address = urlsplit(entry["url"])
            target = _inside(reading.site, unquote(address.path))
            missing = "has no place" if address.fragment and target in reading.site.pages else "is not there"
            what = f"{target} {missing} #{unquote(address.fragment)}" if "place" in missing else f"{target} {missing}"
            broken.setdefault((target, what), []).append((page, int((entry.get("span") or {}).get("line", 0))))
    for (_, what), places in broken.items():
        page, number = min(places)
        others = len({name for name, _ in places}) - 1
        more = f" (linked from {others} more page{'s' * (others > 1)} too)" if others else ""
        yield Finding(reading.site.place(page), number, SITE_LINK, what + more)


def _inside(site: Site, file: str) -> str:
    return file.removeprefix(f"{site.folder}/")
