"""What pandoc answered is kept: a render after an edit makes what changed, with the bytes of a whole render."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from labhandbook.book.engine.kept_answers import STILL, KeptAnswers
from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.engine.pandoc_worker import Worker
from labhandbook.book.engine.render import render_pandoc
from labhandbook.book.load import load_book
from labhandbook.book.preview.live_book import LiveBook
from tooling.tests.conftest import make_book

HOME = "# Home {.unnumbered}\n\nSee @sec-a and {{< var facts.speed >}}.\n"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><title>Old</title></svg>\n'
FILES = {
    "index.qmd": HOME,
    "a.qmd": "---\ndescription: Old.\n---\n\n# A {#sec-a}\n\nWords [@knuth1984] and @fig-one.\n\n## Part {#sec-p}\n",
    "b.qmd": "# B {#sec-b}\n\n![A drawing](one.svg){#fig-one fig-alt=\"A line\"}\n\n{{< include _more.qmd >}}\n",
    "c.qmd": "# C {#sec-c}\n\n```{.python}\n{{< part /tool.py work >}}\n```\n\n[B](b.qmd#sec-b)\n",
    "references.qmd": "# References {.unnumbered}\n\n::: {#refs}\n:::\n",
    "_more.qmd": "More.\n", "one.svg": DRAWING, "tool.py": "def work():\n    return 1\n",
    "chapters/facts.yml": "source: x\nchecked: 2026-01-02\nreview-by: 2027-01-02\nspeed: fast\n",
    "references.bib": "@book{knuth1984, title = {Literate}, author = {Knuth, D.}, year = {1984}, publisher = {P}}\n",
}
EDITS: dict[str, tuple[str, str, str]] = {
    "a word": ("a.qmd", "Words", "Other words"),
    "a number that other pages show": ("a.qmd", "# A {#sec-a}", "# A {#sec-a .unnumbered}"),
    "a title": ("b.qmd", "# B", "# Beta"),
    "a label that is gone": ("a.qmd", "#sec-a .unnumbered", "#sec-z"),
    "a description": ("a.qmd", "Old.", "New."),
    "an include": ("_more.qmd", "More", "Less"),
    "a picture": ("one.svg", 'width="20"', 'width="40"'),
    "a part of a program": ("tool.py", "return 1", "return 2"),
    "a fact": ("chapters/facts.yml", "fast", "slow"),
    "a work": ("references.bib", "1984}", "1985}"),
    "the book's title": ("_quarto.yml", "title:", "subtitle: Two\n  title:"),
    "a setting": ("_quarto.yml", "lang: en-GB", "lang: de"),
    "a filter": ("_extensions/handbook/handbook.lua", "return { { P",
                 "return { { Str = function() return pandoc.Str 'x' end }, { P"),
    "a style": ("_extensions/handbook/handbook.css", "/*", "/* new */\n/*"),
}




@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "labhandbook" / "pages-1"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book whose files are older than any render."""
    root = make_book(tmp_path / "book", FILES)
    for path in (path for path in root.rglob("*") if path.is_file()):
        os.utime(path, (0, 0))
    time.sleep(2 * STILL)
    return root


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What pandoc is asked from now on, as `read a.qmd`."""
    found: list[str] = []
    real = Worker._ask

    def heard(worker: Worker, given: dict[str, Any], page: str, seconds: float) -> dict[str, Any]:
        found.append(f"{given['op']} {page}".strip())
        return real(worker, given, page, seconds)

    monkeypatch.setattr(Worker, "_ask", heard)
    return found


def pages(book: Path, kept: KeptAnswers | None = None) -> list[object]:
    """All pages with what was found in them."""
    with Engine(load_book(book), workers=1, kept=kept) as engine:
        engine.read(engine.book.pages)
        engine.prepare()
        return [(one.page.path, one.html, one.resources, one.findings, one.missing)
                for one in engine.write(engine.book.pages)]


def change(path: Path, old: str, new: str) -> None:
    """Replace text in a file, which must hold it, and wait until it is no new one."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    time.sleep(2 * STILL)


@pytest.mark.long
def test_after_each_kind_of_edit_the_pages_are_those_of_a_whole_render(book: Path, tmp_path: Path) -> None:
    before = pages(book)
    for kind, (name, old, new) in EDITS.items():
        change(book / name, old, new)
        fresh = pages(book, KeptAnswers(tmp_path, kind))
        assert pages(book) == fresh, kind
        assert (fresh != before) is (kind not in ("a style", "the book's title")), kind
        before = fresh


def test_only_what_changed_is_asked_again(book: Path, asked: list[str]) -> None:
    pages(book)
    assert {"setup", "share", "read a.qmd", "html a.qmd"} <= set(asked)
    asked.clear()
    pages(book)
    assert asked == []
    change(book / "a.qmd", "Words", "Other words")
    pages(book)
    assert asked == ["setup", "read a.qmd", "share", "html a.qmd"]
    asked.clear()
    change(book / "b.qmd", "# B", "# Beta")
    pages(book)
    assert {each for each in asked if each.startswith("html")} == {
        "html b.qmd", "html a.qmd", "html c.qmd"}, "those beside it show its title, and nobody else"


def test_a_whole_render_after_an_edit_has_the_bytes_of_one_without_answers(book: Path, tmp_path: Path,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    def render(name: str) -> dict[str, bytes]:
        done = render_pandoc(load_book(book), tmp_path / name, ("html", "pdf", "epub"), lambda _: None)
        assert not done.findings.failed()
        return {str(path.relative_to(tmp_path / name)): path.read_bytes()
                for path in (tmp_path / name).rglob("*") if path.is_file()}

    before = render("before")
    change(book / "a.qmd", "Words", "Other words")
    after = render("after")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    assert after == render("whole")
    assert {name for name in before if before[name] != after[name]} == {
        "a.html", "site/sections.js", "Test-Book.pdf", "Test-Book.epub"}


def test_editions_are_made_again_only_when_something_in_them_changed(book: Path, tmp_path: Path, cache: Path,
                                                                     asked: list[str]) -> None:
    def render() -> dict[str, bytes]:
        asked.clear()
        done = render_pandoc(load_book(book), tmp_path / "out", ("html", "pdf", "epub"), lambda _: None)
        assert not done.findings.failed()
        return {path.suffix: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.suffix in (
            ".pdf", ".epub")}

    first = render()
    assert set(first) == {".pdf", ".epub"} and asked.count("compile") == 3, "the EPUB's cover is one too"
    assert render() == first and asked == []
    change(book / "_quarto.yml", "lang: en-GB", "lang: de")
    assert render() != first and asked.count("compile") == 3
    for name, old, new in (("a.qmd", "Words", "Other words"), ("one.svg", 'width="20"', 'width="40"'),
                           ("tool.py", "return 1", "return 2"), ("references.bib", "1984}", "1985}")):
        before = render()
        change(book / name, old, new)
        after = render()
        assert all(before[kind] != after[kind] for kind in before), name
    for file in (cache.parent / "editions-1").iterdir():
        file.write_bytes(b"%PDF-damaged")
    assert set(render()) == {".pdf", ".epub"} and asked.count("compile") == 3


def test_a_damaged_file_is_as_good_as_none(cache: Path, tmp_path: Path) -> None:
    KeptAnswers(tmp_path, "").keep("read a.qmd", "key", {"text": "Words"})

    def found() -> tuple[Any, str] | None:
        return KeptAnswers(tmp_path, "").find("read a.qmd", "key", {})

    assert found() is None, "not saved"
    for damage in (b"", b"nonsense", b"{}", b"\n", b"0" * 64 + b"\n{}"):
        kept = KeptAnswers(tmp_path, "")
        kept.keep("read a.qmd", "key", {"text": "Words"})
        kept.save()
        (file,) = cache.iterdir()
        answer = found()
        assert answer and answer[0] == {"text": "Words"}
        file.write_bytes(file.read_bytes().replace(b"Words", b"Wards"))
        assert found() is None
        file.write_bytes(damage)
        assert found() is None
    file.unlink()
    file.mkdir()
    assert found() is None


def test_answers_of_another_folder_are_not_taken(book: Path, cache: Path, tmp_path: Path, asked: list[str]) -> None:
    """The book's own files, under another path and with another picture."""
    pages(book)
    other = make_book(tmp_path / "other", FILES | {"one.svg": DRAWING.replace("20", "99")})
    os.utime(other / "one.svg", (0, 0))
    asked.clear()
    assert any('width="99"' in str(page) for page in pages(other)) and "html b.qmd" in asked
    assert len(list(cache.iterdir())) == 2


def test_without_a_place_to_keep_them_nothing_fails(book: Path, tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    right = pages(book)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert pages(book) == right


@pytest.mark.parametrize("word", ["os.time()", "os.getenv 'HOME'", "math.random()",
                                  "#pandoc.system.list_directory '.'"])
def test_what_is_another_each_time_is_not_kept(book: Path, asked: list[str], word: str) -> None:
    (book / "_extensions/handbook/shortcodes.lua").write_text(
        f"return {{ now = function() return pandoc.Str(tostring({word})) end }}\n", encoding="utf-8")
    (book / "a.qmd").write_text("# A {#sec-a}\n\n{{< now >}} @fig-one\n", encoding="utf-8")
    (book / "c.qmd").write_text("# C {#sec-c}\n", encoding="utf-8")
    time.sleep(2 * STILL)
    pages(book)
    asked.clear()
    pages(book)
    assert asked == ["setup", "read a.qmd", "share", "html a.qmd"]


def test_a_file_that_changed_while_a_page_was_made_is_read_again(book: Path, asked: list[str]) -> None:
    os.utime(book / "one.svg", (time.time() + 60,) * 2)
    pages(book)
    asked.clear()
    pages(book)
    assert "html b.qmd" in asked and "html a.qmd" not in asked


def test_the_preview_begins_with_what_is_kept(book: Path, asked: list[str]) -> None:
    with LiveBook(load_book(book)) as live:
        first = {url: shown.html for url, shown in live.pages.items()}
    asked.clear()
    with LiveBook(load_book(book)) as live:
        assert {url: shown.html for url, shown in live.pages.items()} == first
        assert not set(asked) - {"setup"}, "a process may begin beside it"
        change(book / "a.qmd", "Words", "Other words")
        assert live.update({live.book.root / "a.qmd"}, live.inputs()) == ["a.qmd"]
        assert "Other words" in live.pages["a.html"].html
        assert set(asked) == {"setup", "read a.qmd", "share", "html a.qmd"}
