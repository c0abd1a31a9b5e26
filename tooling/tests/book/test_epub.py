"""The whole book as EPUB."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tooling.tests.book.edition_reader import Epub
from tooling.tests.book.page_reader import squeeze, text_of
from tooling.tests.conftest import ROOT, epubcheck, make_book, run

NCX = "{http://www.daisy.org/z3986/2005/ncx/}"
XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def book(everything_book: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    output = tmp_path_factory.mktemp("epub") / "out"
    done = run("render", "--book", everything_book, "--engine", "pandoc", "--to", "epub", "--output", output)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(io.BytesIO((output / "Test-Book.epub").read_bytes()))


@pytest.fixture(scope="module")
def documents(book: zipfile.ZipFile) -> dict[str, ElementTree.Element]:
    return {name: ElementTree.fromstring(book.read(name)) for name in book.namelist() if name.endswith(".xhtml")}


@pytest.fixture(scope="module")
def text(documents: dict[str, ElementTree.Element]) -> str:
    return squeeze(" ".join(" ".join(document.itertext()) for document in documents.values()))


def test_container(book: zipfile.ZipFile) -> None:
    first = book.infolist()[0]
    assert first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED
    assert book.read("mimetype") == b"application/epub+zip"
    assert book.testzip() is None
    assert "META-INF/container.xml" in book.namelist()


def test_navigation_lists_the_chapters(documents: dict[str, ElementTree.Element]) -> None:
    nav = next(document for name, document in documents.items() if name.endswith("nav.xhtml"))
    shown = [squeeze("".join(link.itertext())) for link in nav.iter(f"{XHTML}a")]
    order = ["Part Alpha", "1 Chapter “One” with code", "2 Second chapter", "3 Title from the front matter",
             "An aside", "4 Chapter four", "References"]
    assert [title for title in shown if title in order] == order
    assert "1.1 Figures" in shown


@pytest.mark.parametrize(("file", "entry", "link"), [
    ("nav.xhtml", f"{XHTML}li", f"{XHTML}a"), ("toc.ncx", f"{NCX}navPoint", f"{NCX}text")])
def test_chapters_are_inside_their_part(book: zipfile.ZipFile, file: str, entry: str, link: str) -> None:
    def title(element: ElementTree.Element) -> str:
        return squeeze("".join(next(element.iter(link)).itertext()))

    contents = ElementTree.fromstring(book.read(f"EPUB/{file}"))
    part = next(each for each in contents.iter(entry) if title(each) == "Part Alpha")
    inside = [title(each) for each in part.iter(entry)]
    assert {"1 Chapter “One” with code", "1.1 Figures", "2 Second chapter"} <= set(inside)
    assert "3 Title from the front matter" not in inside


def test_each_file_has_the_title_of_its_chapter(documents: dict[str, ElementTree.Element]) -> None:
    titles = {squeeze(str(document.findtext(f".//{XHTML}title"))) for document in documents.values()}
    assert {"1 Chapter “One” with code", "Part Alpha", "References"} <= titles
    assert not [title for title in titles if title.endswith(".xhtml")]


def test_there_is_a_cover(book: zipfile.ZipFile) -> None:
    package = ElementTree.fromstring(book.read("EPUB/content.opf"))
    (cover,) = (item for item in package.iter() if item.get("properties") == "cover-image")
    assert book.read(f"EPUB/{cover.get('href')}").startswith(b"\x89PNG")


def test_style_has_the_colours_of_the_tokens() -> None:
    style, tokens = ((ROOT / "_extensions/handbook" / name).read_text(encoding="utf-8")
                     for name in ("epub.css", "tokens.css"))
    light = set(re.findall(r"light-dark\((#\w+),", tokens))
    assert {"#1b5e8c", "#f2f5f8"} <= set(re.findall(r"#[0-9a-f]{6}\b", style)) <= light


def test_epubcheck_finds_nothing(book: zipfile.ZipFile, tmp_path: Path) -> None:
    file = tmp_path / "book.epub"
    with zipfile.ZipFile(file, "w") as copy:
        for info in book.infolist():
            copy.writestr(info, book.read(info))
    assert epubcheck(file) == ""


def test_metadata(book: zipfile.ZipFile) -> None:
    (name,) = (name for name in book.namelist() if name.endswith(".opf"))
    package = book.read(name).decode()
    assert ">Test Book<" in package and ">A Group<" in package and "en-GB" in package


def test_mathml(documents: dict[str, ElementTree.Element], text: str) -> None:
    formulas = sum(1 for document in documents.values()
                   for _ in document.iter("{http://www.w3.org/1998/Math/MathML}math"))
    assert formulas == 7
    assert "(1.2)" in text


@pytest.mark.parametrize("words", [
    "Figure 1.1: A plain picture", "Table 1.2: The second table", "1.5.1.1 Level four", "Deep 2.8.1.1",
    "Knuth (1984)", "“Literate Programming.”", "Tip: A tip with code & more", "Text on apples.", "Linux",
    "Text from a nested file.", "login.example.org", "tool.py", "An inline note",
])
def test_text(text: str, words: str) -> None:
    assert words in text.replace("( ", "(").replace(" )", ")")


def test_no_source_is_left(text: str) -> None:
    words = text.replace("{{< var things.host.name >}}", "").replace("{{< include jobs/run.sh >}}", "")
    for mark in (":::", "{{<", "{#", "hbsc", "?sec", "@sec"):
        assert mark not in words, mark


def test_pictures_are_inside(book: zipfile.ZipFile, documents: dict[str, ElementTree.Element]) -> None:
    assert sum(name.endswith(".svg") for name in book.namelist()) >= 2
    shown = [image for document in documents.values() for image in document.iter(f"{XHTML}img")]
    assert "A grey square" in {image.get("alt") for image in shown}


@pytest.mark.parametrize(("numbered", "titles"), [
    (True, ["1 One", "1.1 Part of it", "Appendices", "Appendix A — Two"]),
    (False, ["One", "Part of it", "Appendices", "Two"]),
])
def test_numbers_of_titles(tmp_path: Path, numbered: bool, titles: list[str]) -> None:
    files = {"index.qmd": "# Home {.unnumbered}\n\n@sec-part\n",
             "one.qmd": "# One\n\n## Part of it {#sec-part}\n", "two.qmd": "# Two\n"}
    folder = make_book(tmp_path, files, ["index.qmd", "one.qmd"], appendices=["two.qmd"])
    config = folder / "_quarto.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("number-sections: true", f"number-sections: {numbered}"), encoding="utf-8")
    done = run("render", "--book", folder, "--engine", "pandoc", "--to", "epub")
    assert done.returncode == 0, done.stderr
    epub = Epub(folder / "_book/Test-Book.epub")
    assert [words for _, words in epub.outline][-4:] == titles
    assert text_of(epub.chapters[0]) == "Home Part of it", "a page without a number refers to titles"
