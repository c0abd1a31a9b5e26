"""What a rendered page says, read the same way from both engines.

Tests compare ids, texts and addresses. Where the markup of the engines differs (callouts, tabs, file names over
code, the navigation around the text), the difference is settled here and nowhere else.
"""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup, Tag

EXTERNAL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# The kind of a callout, which Quarto draws as a sign where there is a title: the embedded engine shows the word.
KIND = ".callout-title-container > .screen-reader-only"
# Said for screen readers, drawn by scripts, or the TeX source beside MathML: no part of the visible text.
SILENT = f".screen-reader-only:not({KIND}), annotation, a.anchor, a.footnote-back, .tab-name, script, style, svg"


class Heading(NamedTuple):
    """A section's heading; `number` is empty where it has none."""

    id: str
    level: int
    number: str
    text: str


class Float(NamedTuple):
    """A figure or table with the whole of its caption, "Figure 1.2: ..."."""

    id: str
    caption: str


class Callout(NamedTuple):
    """A callout; `fold` is empty, "open" or "closed"."""

    kind: str
    title: str
    fold: str
    text: str


class Tab(NamedTuple):
    """One tab: its panel's id, its name, the panel's text, whether it is the one shown."""

    id: str
    name: str
    text: str
    shown: bool


class Tabset(NamedTuple):
    """A row of tabs; those of one group switch together."""

    group: str
    tabs: list[Tab]


class Code(NamedTuple):
    """A code block with the file name shown over it."""

    filename: str
    text: str


class Link(NamedTuple):
    """A link: what it says and where it leads, from the site's root or to the outside."""

    text: str
    target: str


class Entry(NamedTuple):
    """A line of the sidebar; `depth` is 1 for a chapter inside a part, `target` is empty for a title alone."""

    depth: int
    text: str
    target: str
    current: bool


def squeeze(text: str) -> str:
    """White space as one blank."""
    return " ".join(text.replace("\xa0", " ").split())


def text_of(tag: Tag) -> str:
    """The visible text of an element with white space collapsed."""
    visible = copy.copy(tag)
    for silent in visible.select(SILENT):
        silent.decompose()
    for kind in visible.select(KIND):
        kind.append(" ")
    return squeeze(visible.get_text())


def attribute(tag: Tag, name: str) -> str:
    """An attribute's value, empty when it is not there."""
    value = tag.get(name, "")
    return " ".join(value) if isinstance(value, list) else str(value or "")


@dataclass(frozen=True)
class Page:
    """One page of a rendered site."""

    site: Path
    url: str

    @cached_property
    def html(self) -> BeautifulSoup:
        """The whole page, parsed."""
        return BeautifulSoup((self.site / self.url).read_text(encoding="utf-8"), "html.parser")

    @cached_property
    def quarto(self) -> bool:
        """Whether Quarto made it."""
        made = self.html.select_one("meta[name=generator]")
        return made is not None and attribute(made, "content").startswith("quarto")

    @cached_property
    def main(self) -> Tag:
        """The text of the page, without navigation and without the bibliography that Quarto hides in chapters."""
        main = copy.copy(self.one("main"))
        for extra in main.select("nav, .breadcrumb, .toc-column, [style*='display: none'], "
                                 ".quarto-appendix-heading, script, style"):
            extra.decompose()
        return main

    def one(self, selector: str) -> Tag:
        """The one element that `selector` finds."""
        found = self.html.select(selector)
        assert len(found) == 1, f"{self.url}: {len(found)} elements match {selector}"
        return found[0]

    def by_id(self, name: str) -> Tag:
        """The element with this id."""
        found = self.main.find_all(id=name)
        assert len(found) == 1, f"{self.url}: #{name} is there {len(found)} times"
        assert isinstance(found[0], Tag)
        return found[0]

    @property
    def text(self) -> str:
        """All of the page's text."""
        return text_of(self.main)

    def absolute(self, href: str) -> str:
        """A link's target as seen from the site's root; an external one as it is."""
        if EXTERNAL.match(href):
            return href
        path, hash_mark, fragment = href.partition("#")
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(self.url), path)) if path else self.url
        if path.endswith("/") or whole == ".":
            whole = posixpath.normpath(posixpath.join(whole, "index.html"))
        return whole + hash_mark + fragment

    # The title

    @property
    def title(self) -> str:
        """The page's heading without its number; nothing where it has none."""
        found = self.html.select_one("h1.title .chapter-title, h1.title:not(:has(.chapter-title))")
        return text_of(found) if found else ""

    @property
    def own_title(self) -> str:
        """The title without what is before that of an appendix."""
        return re.sub(r"^Appendix [A-Z] — ", "", self.title)

    @property
    def number(self) -> str:
        """The chapter's number, or nothing."""
        found = self.html.select_one("h1.title .chapter-number")
        return text_of(found) if found else ""

    @property
    def title_id(self) -> str:
        """The id of the page's heading; nothing where it has none."""
        found = self.html.select_one("h1.title .quarto-section-identifier") or self.html.select_one("h1.title")
        return attribute(found, "id") if found else ""

    @property
    def lead(self) -> str:
        """The description where the page shows it under its title."""
        found = self.html.select_one("main header .description, main header .lead")
        return text_of(found) if found else ""

    # The text

    @property
    def headings(self) -> list[Heading]:
        """The headings of all sections in order."""
        return list(self._headings())

    def _headings(self) -> Iterator[Heading]:
        for tag in self.main.select("section > :is(h1, h2, h3, h4, h5, h6)"):
            assert tag.parent
            number = tag.select_one(".header-section-number")
            words = text_of(tag)
            shown = text_of(number) if number else ""
            yield Heading(attribute(tag.parent, "id"), int(tag.name[1]), shown, words.removeprefix(shown).strip())

    def heading(self, name: str) -> Heading:
        """The heading of the section with this id."""
        return next(heading for heading in self.headings if heading.id == name)

    def _floats(self, kind: str, caption: str) -> list[Float]:
        found = []
        for tag in self.main.select(f"[id^='{kind}-']"):
            words = tag.select_one(caption)
            if words and "caption" not in attribute(tag, "id").removeprefix(kind):
                found.append(Float(attribute(tag, "id"), text_of(words)))
        return found

    @property
    def figures(self) -> list[Float]:
        """Numbered figures."""
        return self._floats("fig", "figcaption")

    @property
    def tables(self) -> list[Float]:
        """Numbered tables."""
        return self._floats("tbl", "caption, figcaption")

    @property
    def captions(self) -> list[str]:
        """The captions of figures and tables that have no number."""
        return [text_of(tag) for tag in self.main.select("figcaption, caption")
                if text_of(tag) and not tag.find_parent(id=re.compile("^(fig|tbl)-"))]

    @property
    def equations(self) -> dict[str, str]:
        """Numbered equations: id and number."""
        found = {}
        for tag in self.main.select("[id^='eq-']"):
            number = re.search(r"\(([\d.]+)\)$", text_of(tag))
            found[attribute(tag, "id")] = number[1] if number else ""
        return found

    @property
    def callouts(self) -> list[Callout]:
        """Callouts in order."""
        return [self._callout(tag) for tag in self.main.select(".callout")]

    def _callout(self, tag: Tag) -> Callout:
        kind = next(name.removeprefix("callout-") for name in attribute(tag, "class").split()
                    if re.fullmatch(r"callout-(note|tip|important|caution|warning|none)", name))
        body = tag.select_one(".callout-body")
        assert body, "a callout without a body"
        header = tag.select_one(".callout-header" if self.quarto else ".callout-title")
        if header is None:  # one of no kind, or of the simple appearance, without a title
            return Callout(kind, "", "", text_of(body))
        if self.quarto:
            folds = header.has_attr("data-bs-toggle")
            is_open = attribute(header, "aria-expanded") == "true"
            kind_shown = header.select_one(KIND)
            title = text_of(header).removeprefix(text_of(kind_shown) if kind_shown else "").strip()
        else:
            folds, is_open = tag.name == "details", tag.has_attr("open")
            name, *rest = header.find_all("span", recursive=False)
            title = squeeze(" ".join(text_of(part) for part in rest)) or text_of(name)
        return Callout(kind, title, ("open" if is_open else "closed") if folds else "", text_of(body))

    @property
    def tabsets(self) -> list[Tabset]:
        """Tabsets in order."""
        return [Tabset(attribute(tag, "data-group"), list(self._tabs(tag)))
                for tag in self.main.select(".panel-tabset")]

    def _tabs(self, tabset: Tag) -> Iterator[Tab]:
        for tab in tabset.select("[role=tab]"):
            name = attribute(tab, "aria-controls")
            panel = tabset.find(id=name, role="tabpanel")
            assert isinstance(panel, Tag), f"the tab {text_of(tab)} has no panel"
            assert attribute(panel, "aria-labelledby") == attribute(tab, "id")
            yield Tab(name, text_of(tab), text_of(panel), attribute(tab, "aria-selected") == "true")

    @property
    def code(self) -> list[Code]:
        """Code blocks in order."""
        return [Code(self._filename(block), block.get_text().rstrip("\n"))
                for block in self.main.select("pre > code")]

    def _filename(self, block: Tag) -> str:
        frame = block.find_parent(class_="code-with-filename")
        name = frame.select_one(".code-with-filename-file strong, .code-filename") if frame else None
        return text_of(name) if name else ""

    @property
    def links(self) -> list[Link]:
        """Links inside the text, without those that code lines and footnotes carry."""
        return [Link(text_of(tag), self.absolute(attribute(tag, "href"))) for tag in self.main.select("a[href]")
                if not tag.find_parent("pre") and "foot" not in attribute(tag, "class")
                and attribute(tag, "role") != "tab"]

    def link(self, text: str) -> str:
        """The target of the one link with this text."""
        targets = {link.target for link in self.links if link.text == text}
        assert len(targets) == 1, f"{self.url}: links {text!r} lead to {targets}"
        return targets.pop()

    @property
    def references(self) -> list[Link]:
        """Cross-references in order; one to a chapter leads to its page."""
        return [Link(text_of(tag), self.absolute(attribute(tag, "href")))
                for tag in self.main.select("a.quarto-xref")]

    @property
    def citations(self) -> list[str]:
        """The texts of the citations in order."""
        return [text_of(tag) for tag in self.main.select("span.citation")]

    @property
    def cited(self) -> list[Link]:
        """The links of citations to the bibliography."""
        return [Link(text_of(tag), self.absolute(attribute(tag, "href")))
                for tag in self.main.select("span.citation a[href]")]

    @property
    def bibliography(self) -> dict[str, str]:
        """The entries of the bibliography by their ids."""
        return {attribute(tag, "id"): text_of(tag) for tag in self.main.select(".csl-entry")}

    @property
    def footnotes(self) -> list[str]:
        """The notes under the page."""
        return [text_of(tag) for tag in self.main.select("li[id^=fn]")]

    @property
    def images(self) -> list[Link]:
        """The images: the text for each where it can't be seen, and its file from the site's root."""
        return [Link(attribute(tag, "aria-label" if tag.name == "svg" else "alt"),
                     self.absolute(attribute(tag, "data-src" if tag.name == "svg" else "src")))
                for tag in self.main.select("img, svg.picture")]

    # The shapes of the text

    @property
    def grids(self) -> list[str]:
        """The tables: the widths of their columns, and each row's cells as head or data, aligned and spanned."""
        return [squeeze(f"{' '.join(map(_width, table.select('col')))}; "
                        + "; ".join(" ".join(map(_cell, row.select("th, td"))) for row in table.select("tr")))
                for table in self.main.select("table")]

    @property
    def lists(self) -> list[str]:
        """The lists of the text: their kind, how they count and from where, and how many items they have."""
        return [" ".join(filter(None, (tag.name, attribute(tag, "type").removeprefix("1"),
                                       attribute(tag, "start").removeprefix("1"),
                                       str(len(tag.find_all(["li", "dt"], recursive=False))))))
                for tag in self.main.select("ul:not([role=tablist]), ol, dl")]

    @property
    def marks(self) -> list[str]:
        """The words that are set off in the text: emphasis, strong words, struck out, raised, lowered."""
        return [f"{tag.name} {text_of(tag)}" for tag in self.main.select("em, strong, del, sup, sub")
                if text_of(tag) and not tag.find_parent(
                    class_=["callout-title", "callout-header", "code-with-filename-file", "footnote-ref",
                            "page-facts"])]

    @property
    def link_attributes(self) -> list[str]:
        """What links carry beside their target."""
        return [f"{text_of(tag)}: {wanted}" for tag in self.main.select("a[href]") if (wanted := " ".join(
            f"{name}={attribute(tag, name)}" for name in ("target", "title", "download") if tag.has_attr(name)))]

    @property
    def image_sizes(self) -> list[str]:
        """The sizes that the author gave to images; the embedded engine adds those of the files, in pixels."""
        found = []
        for tag in self.main.select("img"):
            style = dict(re.findall(r"(width|height):\s*([\d.]+[\w%]+)", attribute(tag, "style")))
            for name in ("width", "height"):
                if not (tag.has_attr("width") and tag.has_attr("height")) and tag.has_attr(name):
                    style[name] = attribute(tag, name)
            if style:
                found.append(f"{attribute(tag, 'src')} {sorted(style.items())}")
        return found

    # Around the text

    @property
    def head(self) -> list[str]:
        """The title of the page's window, and what search engines are given."""
        window, words = self.html.select_one("head title"), self.html.select_one("meta[name=description]")
        return [text_of(window) if window else "", attribute(words, "content") if words else ""]

    @property
    def sidebar(self) -> list[Entry]:
        """The book's contents beside the page."""
        return list(self._sidebar())

    def _sidebar(self) -> Iterator[Entry]:
        nav = self.one("#quarto-sidebar .sidebar-menu-container" if self.quarto else "nav#book > ul:first-of-type")
        for item in nav.select("li"):
            link = item.select_one(".sidebar-item-text" if self.quarto else "a, span.part")
            assert link
            depth = len(item.find_parents("li"))
            current = "active" in attribute(link, "class").split() or attribute(link, "aria-current") == "page"
            href = attribute(link, "href")
            yield Entry(depth, text_of(link), self.absolute(href) if href else "", current)

    @property
    def contents(self) -> list[Link]:
        """The table of contents of the page."""
        return [Link(text_of(tag), attribute(tag, "href").removeprefix("#"))
                for tag in self.html.select("nav#TOC a.nav-link" if self.quarto else ".toc nav a")]

    def step(self, way: str) -> Link | None:
        """The link to the "previous" or the "next" page; its text is the title without the number."""
        short = {"previous": "prev", "next": "next"}[way]
        tag = self.html.select_one(f".nav-page-{way} a" if self.quarto else f".steps a.{short}")
        if tag is None:
            return None
        title = tag.select_one(".chapter-title, .nav-page-text:not(:has(.chapter-title))")
        assert title
        return Link(text_of(title), self.absolute(attribute(tag, "href")))

    @property
    def actions(self) -> dict[str, str]:
        """The links to edit the page and to report an issue."""
        return {text_of(tag): attribute(tag, "href") for tag in self.html.select(".toc-actions a, .actions a")}


def _width(column: Tag) -> str:
    found = re.search(r"width:\s*([\d.]+)%", attribute(column, "style"))
    return f"{round(float(found[1]))}%" if found else "auto"


def _cell(cell: Tag) -> str:
    side = re.search(r"text-align:\s*(\w+)", attribute(cell, "style"))
    spans = [attribute(cell, name) for name in ("colspan", "rowspan")]
    # The empty corner of a table is no head in the embedded engine.
    kind = cell.name if text_of(cell) else "td"
    return kind + (f":{side[1]}" if side else "") + ("" if set(spans) <= {"", "1"} else f":{'x'.join(spans)}")


def addresses(site: Path) -> list[str]:
    """The pages that a site's map lists for search engines, sorted."""
    file = site / "sitemap.xml"
    return sorted(re.findall(r"<loc>(.*?)</loc>", file.read_text(encoding="utf-8"))) if file.exists() else []


def pages(site: Path) -> dict[str, Page]:
    """All pages of a site by their addresses, without redirects."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        url = path.relative_to(site).as_posix()
        if not url.startswith(("site_libs/", "_extensions/")):
            page = Page(site, url)
            if page.html.select_one("main"):
                found[url] = page
    return found
