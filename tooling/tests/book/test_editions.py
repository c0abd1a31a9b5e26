"""The EPUB and the PDF of a book hold its pages: their words, their titles, and no link that leads nowhere.

The pages are those of either engine. So is the PDF; the EPUB is always the embedded engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tooling.tests.book.conftest import WITH_PACKAGE, Sites
from tooling.tests.book.edition_reader import Epub, Pdf, blocks, letters, lost, missing
from tooling.tests.book.page_reader import Page, pages, text_of
from tooling.tests.conftest import QUARTO, need_quarto, run

BOOKS = ("everything", pytest.param("handbook", marks=pytest.mark.walk))
# Its shortcodes show less where nobody can follow the links.
# The site alone has the commits and the talks of today.
SHORTER = {"chapters/what-changed.html", "chapters/seminars/ongoing.html"}
# Quarto's PDF counts on in a chapter without a number: there it is "Figure 3.1" once more.
COUNTED_ON = {("everything", "quarto"): {"chapters/beta/aside.html": ["See Figure 1, Table 1 and Equation 1."]},
              ("handbook", "quarto"): {"chapters/research/index.html": ["Table 1: The reading paths"]}}
Editions = Callable[[str, str, str], Path]


@pytest.fixture(scope="module")
def edition(books: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Editions:
    """The EPUB or the PDF of a book by an engine, made when first asked for."""
    made: dict[tuple[str, str, str], Path] = {}

    def make(name: str, engine: str, kind: str) -> Path:
        if (name, engine, kind) not in made:
            output = tmp_path_factory.mktemp("edition") / "out"
            done = run("render", "--book", books[name], "--engine", engine, "--to", kind, "--output", output,
                       PATH=WITH_PACKAGE, timeout=QUARTO)
            assert done.returncode == 0, done.stderr
            (made[name, engine, kind],) = output.glob(f"*.{kind}")
        return made[name, engine, kind]

    return make


def in_order(site: Path) -> list[Page]:
    """The pages of a site as its first page lists them."""
    found = pages(site)
    listed = [entry.target for entry in found["index.html"].sidebar if entry.target]
    assert {*listed} == {*found}
    return [found[url] for url in listed]


@pytest.mark.parametrize("book", BOOKS)
def test_epub_has_the_words_of_the_pages(book: str, engine: str, sites: Sites, edition: Editions) -> None:
    chapters = Epub(edition(book, "pandoc", "epub")).chapters
    site = in_order(sites(book, engine))
    assert len(chapters) == len(site)
    for page, chapter in zip(site, chapters, strict=True):
        wanted, there = blocks(page.main), blocks(chapter)
        if page.url not in SHORTER:
            assert not missing(wanted, text_of(chapter)), f"the EPUB lacks words of {page.url}"
            assert not missing(there, page.text), f"the EPUB has words that are not in {page.url}"


@pytest.mark.parametrize("book", BOOKS)
def test_epub_lists_chapters_and_its_links_lead_somewhere(book: str, sites: Sites, edition: Editions) -> None:
    epub = Epub(edition(book, "pandoc", "epub"))
    # In parts as beside the pages, also in those without a page.
    beside = [(entry.depth, letters(entry.text)) for entry in in_order(sites(book, "pandoc"))[0].sidebar[1:]]
    listed = [(depth, letters(words).removeprefix("Appendix")) for depth, words in epub.outline]
    assert [entry for entry in listed if entry in beside] == beside
    links = list(epub.links)
    assert len(links) > 60 and not [link for link in links if not link[2]]


@pytest.mark.parametrize("book", BOOKS)
def test_pdf_has_words_outline_and_links(book: str, engine: str, sites: Sites, edition: Editions) -> None:
    pdf = Pdf(edition(book, engine, "pdf"))
    site = in_order(sites(book, engine))
    outline = [letters(words) for _, words in pdf.outline]
    assert not [page.title for page in site[1:] if letters(page.own_title) not in " ".join(outline)]
    links = list(pdf.links)
    assert len(links) > 60 and not [link for link in links if not link[1]]
    gone = {page.url: lost(blocks(page.main, formulas=False), pdf.text) for page in site if page.url not in SHORTER}
    assert {url: words for url, words in gone.items() if words} == COUNTED_ON.get((book, engine), {})


def test_both_engines_outline_the_same(edition: Editions) -> None:
    need_quarto()
    quarto, ours = ([(depth, letters(words)) for depth, words in Pdf(edition("everything", name, "pdf")).outline]
                    for name in ("quarto", "pandoc"))
    # Without `citeproc: true` Typst lists the works once more, in a chapter of its own.
    assert quarto == [*ours, (0, "Bibliography")]
    assert (0, "PartAlpha") in ours and (0, "PartBeta") in ours  # a part with a page, and one without


def test_what_an_edition_lacks_is_found() -> None:
    page = BeautifulSoup("<main><h1>One</h1><p>Ten words that are on this page and nowhere else.</p><p>Two</p>"
                         "<ul><li>three</li></ul><p class='page-facts'>Changed</p></main>", "html.parser")
    words = blocks(page)
    assert words == ["One", "Ten words that are on this page and nowhere else.", "Two", "three"]
    assert missing(words, "One three Ten words that are on this page and nowhere else.") == ["Two"]
    broken = "One Two three Ten words that are 12 on this page and no- where else."
    assert lost(words, broken) == [] and missing(words, broken) == [words[1]]
    assert lost(words, "One Two three") == [words[1]]
