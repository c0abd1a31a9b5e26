"""The whole book as one PDF: what a reader sees, and what a reading program makes of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf.generic import Destination, DictionaryObject

from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.engine.pandoc_worker import pandoc_program
from labhandbook.book.engine.pdf import pdf, typst_source
from labhandbook.book.load import load_book
from labhandbook.core.errors import HandbookError
from tooling.tests.book.edition_reader import Pdf
from tooling.tests.book.page_reader import squeeze
from tooling.tests.conftest import ROOT, make_book, run


@pytest.fixture(scope="module")
def book(everything_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Pdf:
    output = tmp_path_factory.mktemp("pdf") / "out"
    done = run("render", "--book", everything_book, "--engine", "pandoc", "--to", "pdf", "--output", output)
    assert done.returncode == 0, done.stderr
    return Pdf(output / "Test-Book.pdf")


@pytest.fixture(scope="module")
def reader(book: Pdf) -> PdfReader:
    return book.reader


@pytest.fixture(scope="module")
def pages(book: Pdf) -> list[str]:
    return book.pages


@pytest.fixture(scope="module")
def text(book: Pdf) -> str:
    return book.text


def test_cover_says_title_group_and_day(pages: list[str]) -> None:
    for words in ("Test Book", "A Group", "2026-02-03", "https://example.org/book"):
        assert words in pages[0]


def test_names_over_code_in_quartos_pdf(tmp_path: Path) -> None:
    filters = ROOT / "_extensions/handbook/tabsets.lua"
    wrapper = tmp_path / "as-under-quarto.lua"
    wrapper.write_text(f"quarto = {{}}\nreturn dofile '{filters}'\n", encoding="utf-8")
    done = subprocess.run([pandoc_program(), "-f", "markdown", "-t", "typst", "--lua-filter", wrapper], check=True,
                          input='```{.bash filename="login \\"node"}\nls\n```\n', capture_output=True, text=True)
    assert 'font: "DejaVu Sans Mono", "login \\"node"))' in done.stdout and "```bash\nls\n```" in done.stdout


def test_document_information(reader: PdfReader) -> None:
    assert reader.metadata and (reader.metadata.title, reader.metadata.author) == ("Test Book", "A Group")
    assert str(reader.root_object["/Lang"]).lower().startswith("en")


def test_contents_list_chapters_and_sections_with_pages(pages: list[str]) -> None:
    contents = pages[1]
    assert "Contents" in pages[1]
    for line in ("1 Chapter “One” with code", "1.1 Figures", "2 Second chapter", "4 Chapter four", "References"):
        assert re.search(re.escape(line) + r"[ .]*\d+", contents), line
    assert not re.search(r"1\.5\.1 Level three[ .]+\d", contents)


def test_outline_has_chapters_and_sections(book: Pdf) -> None:
    titles = [(depth, title.replace("“", '"').replace("”", '"')) for depth, title in book.outline]
    chapters = [title for depth, title in titles if depth == 0]
    order = ["Part Alpha", '1 Chapter "One" with code', "2 Second chapter", "Part Beta",
             "3 Title from the front matter", "An aside", "4 Chapter four", "References"]
    assert [title for title in chapters if title in order] == order
    assert (1, "1.1 Figures") in titles and (2, "1.5.1 Level three") in titles
    for entry in book.reader.outline:
        if isinstance(entry, Destination):
            assert book.reader.get_destination_page_number(entry) is not None


@pytest.mark.parametrize("words", [
    "1.5.1.1 Level four", "2.2.1 Heading in a tab", "Figure 1.1: A plain picture", "Table 1.2: The second table",
    "Figure 1: In no chapter", "(1.2)", "Second chapter 2, Deep 2.8.1.1, Figure 2.1, Table 2.1, Equation 2.1",
    "Suppressed: 1.1 only. Prefix: Fig. 1.1 and Part 1.3", "Knuth (1984) wrote it", "(Turing 1950a, 1950b)",
    "Tip: A tip with code & more", "Important: Titled by a heading", "Caution text.", "A note without title.",
    "Text on apples.", "Text on pears.", "Linux", "Text from a nested file.", "The host is login.example.org",
    "run.sh", "echo \"run on login.example.org\"", "tool.py", "An inline note with a link.", "For testers",
    "Escaped in text: {{< var things.host.name >}}", "quoted code",
])
def test_text(text: str, words: str) -> None:
    assert words in text.replace("-\u00ad", "").replace("\u00ad", "")


def test_bibliography_is_set_out(text: str) -> None:
    entries = text.rpartition("Every work.")[2]
    assert "Knuth, Donald E. 1984. “Literate Programming.” The Computer Journal 27 (2): 97–111." in entries
    assert entries.index("Knuth") < entries.index("Lovelace") < entries.index("Turing")
    assert "Nobody" not in entries


def test_no_source_is_left(text: str) -> None:
    words = text.replace("{{< var things.host.name >}}", "").replace("{{< include jobs/run.sh >}}", "")
    for mark in (":::", "{{<", "{#", "hbsc", "?sec", "?fig", "@sec", "#callout", "#numbered"):
        assert mark not in words, mark


def fonts(reader: PdfReader) -> Iterator[DictionaryObject]:
    for page in reader.pages:
        resources = page["/Resources"].get_object()
        assert isinstance(resources, DictionaryObject)
        for font in resources.get("/Font", DictionaryObject()).get_object().values():
            yield font.get_object()


def test_fonts_are_embedded(reader: PdfReader) -> None:
    seen = set()
    for font in fonts(reader):
        for part in font.get("/DescendantFonts", [font]):
            descriptor = part.get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor), font["/BaseFont"]
            seen.add(str(descriptor["/FontName"]).partition("+")[2])
    assert any("Libertinus" in name for name in seen) and any("Mono" in name for name in seen), seen


def test_links_outside(book: Pdf) -> None:
    actions = [link.get("/A", DictionaryObject()).get_object() for link in book.annotations]
    addresses = {str(action["/URI"]) for action in actions if "/URI" in action}
    assert {"https://example.org/a?b=c&d=e#f", "https://example.org/hosts/guide.html",
            "https://doi.org/10.1093/comjnl/27.2.97"} <= addresses
    assert "https://example.org/book/chapters/alpha/jobs/run.sh" in addresses, "a file lies on the site"
    assert not [address for address in addresses if address.endswith(".qmd") or "//" not in address]


def test_cross_reference_leads_to_the_page_of_its_target(reader: PdfReader, pages: list[str]) -> None:
    named = {name.lstrip("/"): target for name, target in reader.named_destinations.items()}
    place = reader.get_destination_page_number(named["sec-two-deep"])
    assert place is not None and "2.8.1.1 Deep" in pages[place]


def test_document_is_tagged(reader: PdfReader) -> None:
    assert "/StructTreeRoot" in reader.root_object


def test_pages_are_numbered(pages: list[str]) -> None:
    assert re.search(r"\b2$", pages[2]), pages[2][-80:]


def test_typst_error_is_one_message(tmp_path: Path) -> None:
    files = {"index.qmd": "# Home {.unnumbered}\n\n```{=typst}\n#no-such-function()\n```\n"}
    with Engine(load_book(make_book(tmp_path, files))) as engine:
        engine.read(engine.book.pages)
        engine.prepare()
        with pytest.raises(HandbookError, match="PDF can't be set") as caught:
            pdf(engine.book, typst_source(engine), [], 0)
    assert "no-such-function" in caught.value.why
    assert not list(tmp_path.glob(".book.*"))


@pytest.mark.parametrize("title", ['A "quoted" title', "Costs $5 & #1 * _x_", "Back\\slash @sec"])
def test_awkward_book_titles(tmp_path: Path, title: str) -> None:
    book = make_book(tmp_path, {"index.qmd": "# Home {.unnumbered}\n"}, title=title)
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "pdf")
    assert done.returncode == 0, done.stderr
    (made,) = (book / "_book").glob("*.pdf")
    reader = PdfReader(made)
    assert reader.metadata and reader.metadata.title == title
    assert re.sub('["“”]', "", title) in re.sub('["“”]', "", squeeze(reader.pages[0].extract_text()))
