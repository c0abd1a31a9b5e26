"""The book's own search on pages that Quarto rendered: as Quarto 1.10 writes them; CI reads the real ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labhandbook.book.engine.pandoc_worker import pandoc_program
from labhandbook.book.engine.search_index import INDEX
from tooling.tests.browser.conftest import DESKTOP, PHONE, Open
from tooling.tests.conftest import ROOT, make_book, run

PAGE = """<!DOCTYPE html><html lang="en"><head><title>T</title>
<meta name="description" content="How it &amp; that is made.">
<script src="%(root)ssite_libs/quarto-nav/quarto-nav.js"></script></head>
<body class="nav-sidebar floating quarto-light">
<header id="quarto-header"><nav class="quarto-secondary-nav"><div class="container-fluid d-flex"></div></nav></header>
<div id="quarto-content"><nav id="quarto-sidebar"><div class="sidebar-menu-container">The marmalade menu</div></nav>
<main class="content" id="quarto-document-content">
<header id="title-block-header"><nav class="quarto-title-breadcrumbs">The marmalade crumbs</nav>
<h1 class="title"><span id="sec-%(id)s" class="quarto-section-identifier">
<span class="chapter-number">1</span>&nbsp; <span class="chapter-title">
%(title)s</span></span></h1></header>
<p>Opening, as <a href="%(root)schapters/a.html" class="quarto-xref">Chapter&nbsp;<span>1</span></a> and
<a href="#sec-peel" class="quarto-xref"><span>1.1</span></a> say
(<a href="%(root)sreferences.html#ref-k" role="doc-biblioref">1984</a>).</p>
<section id="sec-peel" class="level2"><h2><span class="header-section-number">1.1</span> Peel</h2>
<p>Oranges for marmalade.</p>
<p><svg aria-label="A &quot;jar&quot;" data-src="jar.svg" width="9"><path/></svg></p></section>
</main></div>
%(search)s</body></html>"""


@pytest.fixture
def made_by_quarto(tmp_path: Path) -> Path:
    """The site of a book of two pages; `handbook search-index` has run on it, as Quarto runs it."""
    book = make_book(tmp_path / "book", {"index.qmd": "# Home\n", "chapters/a.qmd": "# Jam\n"})
    with (book / "_quarto.yml").open("a", encoding="utf-8") as config:
        config.write("website: {llms-txt: true}\n")
    search = (ROOT / "_extensions/handbook/search.html").read_text(encoding="utf-8")
    for name, root, title in (("index", "", "Home"), ("chapters/a", "../", "Jam")):
        page = book / "_book" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        html = PAGE % {"root": root, "title": title, "id": "a" if title == "Jam" else "home", "search": search}
        page.with_suffix(".html").write_text(html, encoding="utf-8")
        page.with_suffix(".llms.md").write_text("![](data:image/svg+xml;base64,PHN2Zz4=) [Chapter sec-a](#sec-a), "
                                                "[sec-peel](#sec-peel), [1984](#ref-k)\n", encoding="utf-8")
    done = run("search-index", cwd=book)
    assert (done.returncode, done.stdout) == (0, "the search of _book/ finds 2 pages\n"), done.stderr
    return book / "_book"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_quartos_pages_have_the_books_search(made_by_quarto: Path, browser: Any, size: tuple[int, int]) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto((made_by_quarto / "chapters/a.html").as_uri())
    page.locator(".search-open").first.click()
    page.get_by_role("searchbox").fill("orange")
    found = page.locator(".search-results a")
    found.first.wait_for()
    assert [link.get_attribute("href") for link in found.all()] == [
        (made_by_quarto / f"{name}.html").as_uri() + "#sec-peel" for name in ("index", "chapters/a")]
    assert found.first.inner_text() == "Peel" and "Home" in page.locator(".search-results li").first.inner_text()
    # Menus and crumbs are not searched.
    page.get_by_role("searchbox").fill("crumbs menu")
    page.get_by_text("Nothing found").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.get_by_role("searchbox").is_visible() and not failed
    page.close()


def test_quartos_pages_for_programs_have_descriptions_pictures_and_references(made_by_quarto: Path) -> None:
    listed = (made_by_quarto / "llms.txt").read_text(encoding="utf-8")
    assert "- [Jam](https://example.org/book/chapters/a.llms.md): How it & that is made.\n" in listed
    text = (made_by_quarto / "index.llms.md").read_text(encoding="utf-8")
    assert text == ('![A "jar"](jar.svg) [Chapter\u00a01](chapters/a.llms.md#sec-a), [1.1](#sec-peel), '
                    '[1984](references.llms.md#ref-k)\n')


def test_a_folder_without_the_pages_is_named(tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", {"index.qmd": "# Home\n"})
    done = run("search-index", tmp_path / "none", "--book", book)
    assert done.returncode == 2 and "none holds no page of the book" in done.stderr


def test_quarto_lets_the_package_add_the_search_after_a_render(made_by_quarto: Path, tmp_path: Path) -> None:
    (made_by_quarto / INDEX).unlink()
    only_pdf = tmp_path / "only-pdf"
    only_pdf.mkdir()
    for output in (made_by_quarto, only_pdf):
        done = subprocess.run([pandoc_program(), "-t", "plain", "--lua-filter", ROOT / "tooling/postrender.lua"],
                              input="", cwd=made_by_quarto.parent, capture_output=True, text=True, check=False,
                              env={**os.environ, "QUARTO_PROJECT_OUTPUT_DIR": str(output),
                                   "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"})
        assert done.returncode == 0, done.stderr
    assert (made_by_quarto / INDEX).is_file() and not list(only_pdf.iterdir())


@pytest.mark.long
def test_the_search_of_either_engine_leads_to_the_section(open_page: Open) -> None:
    page = open_page("chapters/hpc/workflow.html")
    page.keyboard.press("/")
    page.get_by_role("searchbox").fill("yank it on PyPI")
    first = page.locator(".search-results a").first
    first.wait_for()
    assert first.get_attribute("href").endswith("/chapters/packaging/updating.html#sec-updating-yank")
