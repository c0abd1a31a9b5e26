"""Books that do not use the handbook's extension: no false error, no rule of house style, and the true errors.

`cases/book/fine` is such a book, written as people write them. Each file of `cases/book/broken` is a page, and its
marked line has the error that the file's name begins with.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from labhandbook.book.check_book import check_book
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Severity
from tooling.tests.conftest import ROOT, run

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
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The sound book's pages by the embedded engine, without what it refuses by name."""
    book, site = tmp_path_factory.mktemp("other") / "book", tmp_path_factory.mktemp("site") / "site"
    shutil.copytree(FINE, book)
    text = (book / "text.qmd").read_text(encoding="utf-8").replace(".column-margin", ".plain")
    (book / "text.qmd").write_text(text.replace("-{{< include a.qmd >}}", "- a"), encoding="utf-8")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", "--output", site)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_text(encoding="utf-8") for path in site.glob("*.html")}


def test_cells_show_their_code_and_that_they_were_not_run(pages: dict[str, str]) -> None:
    page = pages["cells.html"]
    assert page.count("This code was not run here.") == 4 and "This diagram is not drawn here." in page
    assert "#| label" not in page and "flowchart LR" in page and "sprintf" not in page
    assert 'id="fig-plot"' in page and "Figure\u00a02.1: A plot with “quotes”" in page
    assert "Table\u00a02.1: Rows" in page and ">Figure\u00a02.4 (a)</a>" in page


def test_contents_are_those_of_the_configuration(pages: dict[str, str]) -> None:
    assert ">Another name<" in pages["index.html"] and "No page of its own" in pages["index.html"]
    assert "Appendix A — More" in pages["appendix.html"] and ">Appendix\u00a0A</a>" in pages["appendix.html"]
    assert '<span class="chapter-number">A</span>' in pages["index.html"]


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
