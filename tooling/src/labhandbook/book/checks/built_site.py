"""Rules for the built site, whichever engine built it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote, urlsplit

from labhandbook.book.checks.check_input import BOOK, Reading, Site
from labhandbook.core.rules import At

HIDDEN = re.compile(r"<!--.*?-->|<(script|style|template)\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
# Not those of the head: no link leads to a style sheet, and Quarto gives its two themes one id.
TAG = re.compile(r"<(?!(?:link|meta)\b)[A-Za-z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
ID = re.compile(r"\sid\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
FRAGMENT = re.compile(r"href=[\"'][^\"'#]*#([^\"']+)")
MAIN = re.compile(r"<main\b.*?</main\s*>", re.DOTALL | re.IGNORECASE)
FURNITURE = re.compile(r"<(header|nav|footer|h1)\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
REDIRECT = re.compile(r"http-equiv\s*=\s*[\"']?refresh|location\.replace\(", re.IGNORECASE)
PICTURE = re.compile(r"<(?:img|svg|video|iframe|object|math)\b", re.IGNORECASE)


def visible(html: str) -> str:
    """A page without comments, scripts and styles; the lines keep their numbers."""
    return HIDDEN.sub(lambda match: "\n" * match[0].count("\n"), html)


@BOOK.rule("BOOK027", "An id is used only once on a built page", section="sec-contributing-check",
           why="Links and the browser's accessibility tree find only the first of two.",
           fix="Give one of the two another id in the chapter, and render again.")
def site_id(reading: Reading) -> Iterator[At]:
    """Ids that a page gives twice; in other people's books only those that a link of the site leads to."""
    site = reading.site
    if not site:
        return
    linked = {unquote(unescape(name)) for html in site.pages.values() for name in FRAGMENT.findall(html)}
    for page, html in _own(reading, site):
        count: Counter[str] = Counter()
        shown = visible(html)
        for tag in TAG.finditer(shown):
            if (match := ID.search(tag[0])) and (name := unescape(match[1] or match[2] or match[3] or "")):
                count[name] += 1
                if count[name] == 2 and (reading.book.house_style or name in linked):
                    yield At(f"#{name} is used twice on this page", site.place(page),
                             shown.count("\n", 0, tag.start()) + 1)


def _own(reading: Reading, site: Site) -> Iterator[tuple[str, str]]:
    """The pages that the book has made. Other people's sites hold slides and widgets too."""
    urls = {page.url for page in reading.book.pages}
    yield from ((name, html) for name, html in site.pages.items() if reading.book.house_style or name in urls)


def is_empty(html: str) -> bool:
    """Whether a page shows neither a word nor a picture besides its title and its furniture."""
    if REDIRECT.search(html):
        return False
    shown = visible(html)
    main = MAIN.search(shown)
    text = FURNITURE.sub("", main[0] if main else shown)
    return not PICTURE.search(text) and not re.search(r"\w", unescape(re.sub(r"<[^>]*>", " ", text)))


@BOOK.rule("BOOK028", "Every chapter has a built page with text", section="sec-contributing-check",
           why="Readers of an empty or missing page find nothing.",
           fix="Render again; if the page stays empty, look at the top of its chapter for an unclosed block or "
               "comment.")
def site_page(reading: Reading) -> Iterator[At]:
    """Chapters without a page, and pages without text."""
    site = reading.site
    if not site:
        return
    for page in reading.book.pages:
        if page.url not in site.pages:
            yield At(f"{page.path} has no page in the built site", site.place(page.url))
    for name, html in _own(reading, site):
        if is_empty(html):
            yield At(f"{name} shows no text", site.place(name))


@BOOK.rule("BOOK026", "Every internal link of the built site leads to a place on it",
           section="sec-contributing-check",
           why="Readers click on these links: one that is broken here is broken once it is published.",
           fix="Correct the link in the chapter, and render again.")
def site_link(reading: Reading) -> Iterator[At]:
    """What lychee can't follow; one finding for a target that many pages share, as menus do."""
    if not reading.site:
        return
    ran = reading.tools["lychee"].result()
    yield from ran.missing()
    if ran.output is None:
        return
    broken: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for file, entries in sorted(json.loads(ran.output)["error_map"].items()):
        page = _inside(reading.site, file)
        for entry in entries:
            address = urlsplit(entry["url"])
            target = _inside(reading.site, unquote(address.path))
            if not target:
                continue  # "http://" alone, an example of an address
            missing = "has no place" if address.fragment and target in reading.site.pages else "is not there"
            what = f"{target} {missing} #{unquote(address.fragment)}" if "place" in missing else f"{target} {missing}"
            broken.setdefault((target, what), []).append((page, int((entry.get("span") or {}).get("line", 0))))
    for (_, what), places in broken.items():
        page, number = min(places)
        others = len({name for name, _ in places}) - 1
        more = f" (linked from {others} more page{'s' * (others > 1)} too)" if others else ""
        yield At(what + more, reading.site.place(page), number)


def _inside(site: Site, file: str) -> str:
    return file.removeprefix(f"{site.folder}/")
