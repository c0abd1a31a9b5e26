"""The handbook itself as a PDF and an EPUB."""

from __future__ import annotations

from pathlib import Path

import pytest
from pypdf import PdfReader

from tooling.tests.book.page_reader import squeeze
from tooling.tests.conftest import epubcheck, run

pytestmark = pytest.mark.walk
FEWEST = 80  # words of a page; the emptiest ones have a large picture


@pytest.fixture(scope="module")
def documents(handbook_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("documents") / "out"
    done = run("render", "--book", handbook_copy, "--engine", "pandoc", "--to", "pdf", "--to", "epub",
               "--output", output)
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="module")
def pages(documents: Path) -> list[str]:
    return [squeeze(page.extract_text()) for page in PdfReader(documents / "Lab-Handbook.pdf").pages]


def test_contents_are_two_pages(pages: list[str]) -> None:
    first = next(number for number, text in enumerate(pages) if "I want to" in text and "Contents" not in text)
    assert first == 3, "a cover and two pages of contents"


def test_no_page_is_nearly_empty(pages: list[str]) -> None:
    few = {number: text for number, text in enumerate(pages, 1) if len(text.split()) < FEWEST}
    assert set(few) <= {1, len(pages)}, "only the cover and the last page"


def test_a_name_over_code_is_on_its_page(pages: list[str]) -> None:
    for number, text in enumerate(pages, 1):
        last = text.removesuffix(f" {number - 1}").split()[-1]
        assert last not in {"laptop", "node", "command"}, f"page {number} ends with {text[-90:]}"


def test_pdf_is_tagged(documents: Path) -> None:
    root = PdfReader(documents / "Lab-Handbook.pdf").root_object
    assert "/StructTreeRoot" in root and root["/MarkInfo"].get_object().get("/Marked")  # type: ignore[union-attr]


def test_epubcheck_finds_nothing(documents: Path) -> None:
    assert epubcheck(documents / "Lab-Handbook.epub") == ""
