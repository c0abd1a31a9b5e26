"""Books that do not use the handbook's extension: no false error, no rule of house style, and the true errors.

`cases/book/fine` is such a book, written as people write them. Each file of `cases/book/broken` is a page, and its
marked line has the error that the file's name begins with.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from labhandbook.book.check_book import check_book
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Severity
from tooling.tests.conftest import ROOT, make_book, run

ARROW = "→"
CASES = ROOT / "tooling/tests/cases/book"
FINE, BROKEN = CASES / "fine", CASES / "broken"
NAMES = sorted(path.name for path in BROKEN.iterdir())


def errors(book: Path) -> list[Finding]:
    return [finding for finding in check_book(book).findings if finding.weight is Severity.ERROR]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Finding]]:
    book = tmp_path_factory.mktemp("other") / "book"
    shutil.copytree(FINE, book)
    for name in NAMES:
        (book / name).write_text((BROKEN / name).read_text(encoding="utf-8").replace(ARROW, ""), encoding="utf-8")
    config = (book / "_quarto.yml").read_text(encoding="utf-8")
    listed = "".join(f"    - {name}\n" for name in NAMES)
    (book / "_quarto.yml").write_text(config.replace("  appendices:", f"{listed}  appendices:"), encoding="utf-8")
    yield errors(book)


def test_a_sound_book_has_no_error() -> None:
    assert errors(FINE) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_true_error_is_found(name: str, broken: list[Finding]) -> None:
    lines = (BROKEN / name).read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith(ARROW))
    assert [(finding.rule.code, finding.line) for finding in broken if finding.file == name] == [
        (name.partition("-")[0].upper(), line)]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """What the embedded engine says of the sound book, and its pages."""
    site = tmp_path_factory.mktemp("site") / "site"
    done = run("render", "--book", FINE, "--engine", "pandoc", "--to", "html", "--output", site)
    assert done.returncode == 0, done.stderr
    return done.stderr, {path.name: path.read_text(encoding="utf-8") for path in site.glob("*.html")}


@pytest.fixture(scope="module")
def pages(rendered: tuple[str, dict[str, str]]) -> dict[str, str]:
    return rendered[1]


def test_what_is_not_rendered_as_by_quarto_is_named(rendered: tuple[str, dict[str, str]]) -> None:
    said = rendered[0]
    assert "text.qmd:22: BOOK009 the class .column-margin" in said
    config = (FINE / "_quarto.yml").read_text(encoding="utf-8").splitlines()
    line = config.index('  page-footer: "Theirs"') + 1
    assert f"_quarto.yml:{line}: BOOK009 `page-footer:` is not read by the embedded engine" in said
    assert "the filter quarto is not run by the embedded engine" in said
    assert "cells.qmd:6: BOOK009 `tbl-colwidths:` is not read by the embedded engine" in said


def test_numbers_and_contents_follow_the_configuration(tmp_path: Path) -> None:
    for name, options in (("depth", "number-depth: 1\n    toc-depth: 2"),
                          ("none", "number-sections: false\n    toc: false")):
        book = tmp_path / name
        shutil.copytree(FINE, book)
        config = (book / "_quarto.yml").read_text(encoding="utf-8")
        (book / "_quarto.yml").write_text(config.replace("theme: cosmo", f"{options}"), encoding="utf-8")
        text = (book / "text.qmd").read_text(encoding="utf-8")
        more = "\n## Second {#sec-second}\n\n### Third\n\n@sec-second {{< kbd Ctrl >}}\n"
        (book / "text.qmd").write_text(text + more, encoding="utf-8")
        done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
        assert done.returncode == 0, done.stderr
        page = (book / "_book/text.html").read_text(encoding="utf-8")
        assert "header-section-number" not in page and "<kbd>Ctrl</kbd>" in page
        assert ('<span class="chapter-number">1</span>' in page) is (name == "depth")
        assert ("toc-third" in page, "toc-sec-second" in page) == (False, name == "depth")
        assert (">Section\u00a01.2</a>" if name == "depth" else ">Second</a>") in page


CONFIGURED = """
lang: fi
csl: style.csl
crossref: {fig-title: Fig., title-delim: ".", chapters: true}
language: {callout-note-title: "Nota bene"}
format:
  html:
    link-external-newwindow: true
    include-in-header: [{text: "<meta name='mine'>"}]
    include-before-body: before.html
    css: css/own.css
"""
# A font of the book, one that isn't there, a file outside, an address and data.
SHEET = """@font-face { font-family: x; src: url("../own.woff2"), url(none.woff2), url('../../outside.txt'); }
p { background: url(https://example.org/x.png); mask: url("data:image/svg+xml,%3Csvg/%3E") }"""
STYLE = """<?xml version="1.0" encoding="utf-8"?>
<style xmlns="http://purl.org/net/xbiblio/csl" class="in-text" version="1.0">
<info><title>n</title><id>n</id><updated>2020-01-01T00:00:00+00:00</updated></info>
<citation><layout prefix="[" suffix="]"><text variable="citation-number"/></layout></citation>
<bibliography><layout><text variable="title"/></layout></bibliography></style>
"""


def test_words_style_and_inclusions_follow_the_configuration(tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(FINE, book)
    config = (book / "_quarto.yml").read_text(encoding="utf-8").partition("format:")[0]
    config = config.replace("type: book", "type: book\n  resources: [handouts, '*.pdf']")
    (book / "_quarto.yml").write_text(f"{config}{CONFIGURED}bibliography: works.bib\n", encoding="utf-8")
    (book / "style.csl").write_text(STYLE, encoding="utf-8")
    (book / "before.html").write_text("<p>Before all</p>", encoding="utf-8")
    (tmp_path / "outside.txt").touch()
    for name in ("handouts/a.txt", "deep/b.pdf", "css/own.css", "own.woff2"):
        (book / name).parent.mkdir(exist_ok=True)
        (book / name).write_text(SHEET, encoding="utf-8")
    more = ("\n@eq-x, @fig-mine, see [@work], [out](https://example.org)\n\n$$x$$ {#eq-x}\n\n"
            "![Cap](pixel.png){#fig-mine}\n\n::: {.callout-note}\nX\n:::\n")
    with (book / "text.qmd").open("a", encoding="utf-8") as text:
        text.write(more)
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 0, done.stderr
    page = (book / "_book/text.html").read_text(encoding="utf-8")
    assert "<meta name='mine'>" in page and "<p>Before all</p>" in page and "Nota bene" in page
    assert ">Kuva\u00a01.1</a>" in page and ">Yhtälö\u00a01.1</a>" in page
    assert 'data-cites="work">[' in page and "Fig.\u00a01.1. Cap" in page
    assert '<a href="https://example.org" rel="noopener" target="_blank">' in page
    assert (book / "_book/own.woff2").exists() and not list(book.rglob("outside.txt"))
    assert '<link rel="preload" href="own.woff2" as="font" crossorigin>' in page
    assert (book / "_book/handouts/a.txt").exists() and (book / "_book/deep/b.pdf").exists()
    assert "`crossref: chapters:` is not read" in done.stderr and "in English, not in fi" in done.stderr


def test_a_citation_style_that_only_points_to_another_is_not_fetched(tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(FINE, book)
    with (book / "_quarto.yml").open("a", encoding="utf-8") as config:
        config.write("csl: style.csl\n")
    link = '<link rel="independent-parent" href="http://127.0.0.1:9/x"/>'
    (book / "style.csl").write_text(STYLE.replace("<title>", f"{link}<title>"), encoding="utf-8")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 0 and "the citation style style.csl is not read" in done.stderr


def test_cells_show_their_code_and_that_they_were_not_run(pages: dict[str, str]) -> None:
    page = pages["cells.html"]
    assert page.count("This code was not run here.") == 4 and "This diagram is not drawn here." in page
    assert "#| label" not in page and "flowchart LR" in page and "sprintf" not in page
    assert 'id="fig-plot"' in page and "Figure\u00a02.1: A plot with “quotes”" in page
    assert "Table\u00a02.1: Rows" in page and ">Figure\u00a02.4 (a)</a>" in page


def test_frozen_results_are_shown_while_they_are_fresh(tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(FINE, book)
    kept = book / "_freeze/parts/run"
    (kept / "figure-html").mkdir(parents=True)
    (kept / "execute-results").mkdir()
    shutil.copyfile(FINE / "pixel.png", kept / "figure-html/fig-run-1.png")
    page = "# Run\n\nBefore.\n\n```{r}\n#| label: fig-run\nplot(1)\n```\n\n@fig-run and @fig-none\n"
    made = ("# Run\n\nBefore.\n\n::: {.cell}\n\n```{.r .cell-code}\nplot(1)\n```\n\n"
            "::: {.cell-output-display}\n![Made](run_files/figure-html/fig-run-1.png){#fig-run width=672}\n:::\n:::\n"
            "\n\n@fig-run and @fig-none\n")
    (book / "parts/run.qmd").write_text(page, encoding="utf-8")
    config = (book / "_quarto.yml").read_text(encoding="utf-8")
    (book / "_quarto.yml").write_text(config.replace("  appendices:", "    - parts/run.qmd\n  appendices:"),
                                      encoding="utf-8")
    held = {"hash": hashlib.md5(page.encode()).hexdigest(), "result": {"markdown": made}}
    (kept / "execute-results/html.json").write_text(json.dumps(held), encoding="utf-8")
    for fresh in (True, False):
        done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
        assert done.returncode == 0, done.stderr
        shown = (book / "_book/parts/run.html").read_text(encoding="utf-8")
        assert ('src="../_freeze/parts/run/figure-html/fig-run-1.png"' in shown) is fresh
        assert ("This code was not run here." in shown) is not fresh
        assert (book / "_book/_freeze/parts/run/figure-html/fig-run-1.png").exists() is fresh
        assert ">Figure\u00a04.1</a>" in shown
        assert ("<figcaption>Figure\u00a04.1</figcaption>" in shown) is not fresh
        assert "parts/run.qmd:10: BOOK005 @fig-none refers to nothing" in done.stderr
        with (book / "parts/run.qmd").open("a", encoding="utf-8") as text:
            text.write("\nMore.\n")


DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="9"/></svg>'
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_links_that_lead_nowhere_end_no_pdf(tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(FINE, book)
    (book / "text.qmd").write_text("---\ntitle: In the front matter\n---\n\n## Twice\n\nWords.\n", encoding="utf-8")
    (book / "pixel.png").write_bytes(base64.b64decode(PIXEL))
    links = "\n## Twice\n\n[one](../text.qmd) [two](#gone) [three](#twice) [four](text.qmd) [five](#)\n"
    links += "\n[![badge](https://127.0.0.1:9/x.svg)](https://example.org)\n"
    with (book / "formats.qmd").open("a", encoding="utf-8") as text:
        text.write(links)
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "pdf", "--to", "epub")
    assert done.returncode == 0, done.stderr
    assert len(list((book / "_book").glob("*.pdf"))) == len(list((book / "_book").glob("*.epub"))) == 1


def test_a_picture_with_a_blank_in_its_name_is_shown(tmp_path: Path) -> None:
    files = {"index.qmd": "# Home\n\n![](a dot.svg){fig-alt='What it shows.'}\n", "a dot.svg": DOT}
    book = make_book(tmp_path, files)
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--to", "epub", "--to", "pdf")
    assert done.returncode == 0 and "a%20dot" not in done.stderr, done.stderr
    assert (book / "_book/a dot.svg").exists()
    with zipfile.ZipFile(book / "_book/Test-Book.epub") as archive:
        assert DOT in [archive.read(name).decode() for name in archive.namelist() if name.endswith(".svg")]
    # A picture that isn't there leaves its words.
    words = [page.extract_text() for page in PdfReader(book / "_book/Test-Book.pdf").pages]
    assert "What it shows." not in " ".join(words)


def test_contents_are_those_of_the_configuration(pages: dict[str, str]) -> None:
    assert ">Another name<" in pages["index.html"] and "No page of its own" in pages["index.html"]
    assert "Appendix A — More" in pages["appendix.html"] and ">Appendix\u00a0A</a>" in pages["appendix.html"]
    assert '<span class="chapter-number">A</span>' in pages["index.html"]
    assert ">Appendix A — More</a>" in pages["index.html"]  # a reference on a page without numbers


def test_without_a_page_of_references_each_page_lists_its_own(pages: dict[str, str]) -> None:
    assert pages["appendix.html"].count('class="csl-entry"') == pages["appendix.html"].count('href="#ref-work"') == 1
    assert "csl-entry" not in pages["index.html"]


def test_content_for_other_formats_is_left_out(pages: dict[str, str]) -> None:
    page = pages["formats.html"]
    assert page.count('id="fig-live"') == 1 and "missing-in-html" not in page
    assert "Figure\u00a03.2: A figure in a div." in page and 'src="pixel.png"' in page
    assert "Their Lab, Kim" in page.replace(" and ", ", ")
    assert 'href="text.html#a-heading-of-another-page"' in page


@pytest.mark.parametrize(("entry", "says"), [
    ("notes.ipynb", "lists notes.ipynb, which this program does not read"),
    ("'*.qmd'", "Quarto takes no patterns"),
    ("auto", "Quarto takes no patterns"),
    ("{auto: true}", "Quarto makes no table of contents of a book by itself"),
    ("{part: In, chapters: [{part: Deeper, chapters: [text.qmd]}]}", "not in a part"),
    ("https://example.org", "an address outside the book"),
    ("Text.qmd", "did you mean text.qmd?"),
])
def test_a_chapter_that_is_none_is_named_with_its_line(tmp_path: Path, entry: str, says: str) -> None:
    book = tmp_path / "book"
    shutil.copytree(FINE, book)
    (book / "notes.ipynb").write_text("{}", encoding="utf-8")
    config = (book / "_quarto.yml").read_text(encoding="utf-8").splitlines()
    line = config.index("    - index.qmd") + 1
    config.insert(line, f"    - {entry}")
    (book / "_quarto.yml").write_text("\n".join(config), encoding="utf-8")
    with pytest.raises(HandbookError) as caught:
        check_book(book)
    said = caught.value
    assert said.where == f"_quarto.yml:{line + 1}" and says in f"{said.what} {said.why}"


def test_a_website_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "_quarto.yml").write_text("project:\n  type: website\n", encoding="utf-8")
    with pytest.raises(HandbookError, match="describes a website") as caught:
        check_book(tmp_path)
    assert caught.value.where == "_quarto.yml:2"
