"""Reading `_quarto.yml`: the table of contents and its numbers, and the message for a broken one.

Bad input is one message with file and line, exit code 2, no traceback, and the old output stays.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labhandbook.book.contents import Part
from labhandbook.book.load import load_book
from labhandbook.core.errors import HandbookError
from tooling.tests.conftest import ROOT, make_book, run

FILES = {"index.qmd": "# Home {.unnumbered}\n", "a.qmd": "# A\n", "deep/b.qmd": "# B {.unnumbered #b}\n",
         "c.qmd": "---\ntitle: C\n---\n\nText.\n", "d.qmd": "# D {-}\n", "e.qmd": "# E {#sec-e}\n"}


def test_contents_and_numbers(tmp_path: Path) -> None:
    book = load_book(make_book(tmp_path, FILES, [
        "index.qmd", {"part": "deep/b.qmd", "chapters": ["a.qmd", "c.qmd"]},
        {"part": "Only a title", "chapters": ["d.qmd", "e.qmd"]}]))
    assert [(page.path, page.number, page.part) for page in book.pages] == [
        ("index.qmd", None, False), ("deep/b.qmd", None, True), ("a.qmd", 1, False), ("c.qmd", 2, False),
        ("d.qmd", None, False), ("e.qmd", 3, False)]
    assert [part.title for part in book.contents if isinstance(part, Part)] == ["", "Only a title"]
    assert book.by_path["deep/b.qmd"].url == "deep/b.html"
    assert book.output == tmp_path / "_book"


def test_book_is_found_from_a_folder_inside(tmp_path: Path) -> None:
    make_book(tmp_path, FILES)
    assert load_book(tmp_path / "deep").root == tmp_path


def test_handbook_itself_is_read() -> None:
    pages = load_book(ROOT).pages
    numbers = [page.number for page in pages if page.number]
    rules = sum(page.path.endswith("rules.qmd") for page in pages)
    chapters = len(numbers) - rules  # the appendices are counted anew
    assert numbers == [*range(1, chapters + 1), *range(1, rules + 1)] and chapters >= 12 and rules == 11


GOOD = ("project:\n  type: book\nbook:\n  title: T\n  chapters:\n    - index.qmd\n    - a.qmd\n")


@pytest.mark.parametrize(("change", "line", "says"), [
    (("    - a.qmd", "    - nowhere.qmd"), 7, "nowhere.qmd"),
    (("    - a.qmd", "    - index.qmd"), 7, "twice"),
    (("    - a.qmd", "    - [a.qmd]"), 7, "neither a chapter nor a part"),
    (("    - index.qmd\n", ""), 5, "index.qmd"),
    (("  title: T", "  title: 'T"), 7, "not valid YAML"),
    (("  title: T", "  title: T: U"), 4, "not valid YAML"),
    (("  title: T", "\ttitle: T"), 4, "not valid YAML"),
    (("  type: book", "  type: website"), 2, "type: book"),
    (("  chapters:\n    - index.qmd\n    - a.qmd\n", ""), 3, "no chapters"),
])
def test_broken_configuration_is_named_with_its_line(tmp_path: Path, change: tuple[str, str], line: int,
                                                    says: str) -> None:
    make_book(tmp_path, FILES)
    old = tmp_path / "_book" / "index.html"
    old.parent.mkdir()
    old.write_text("old", encoding="utf-8")
    assert change[0] in GOOD
    (tmp_path / "_quarto.yml").write_text(GOOD.replace(*change, 1), encoding="utf-8")
    for command in ("render", "facts"):
        done = run(command, "--book", tmp_path)
        answer = done.stderr
        assert done.returncode == 2 and "Traceback" not in answer, answer
        first = answer.splitlines()[0]
        assert f"_quarto.yml:{line}:" in first and says in first, first
        assert ".html#sec-contributing" in answer
    assert old.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("text", ["", "- a\n", "book: 3\n", "project: {type: book}\n"])
def test_configuration_of_another_kind(tmp_path: Path, text: str) -> None:
    (tmp_path / "_quarto.yml").write_text(text, encoding="utf-8")
    with pytest.raises(HandbookError, match="no `book:` section"):
        load_book(tmp_path)


def test_folder_without_a_book(tmp_path: Path) -> None:
    done = run("render", "--book", tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "no book here" in done.stderr and "_quarto.yml" in done.stderr


def test_folder_that_does_not_exist(tmp_path: Path) -> None:
    done = run("render", "--book", tmp_path / "nowhere")
    assert done.returncode == 2 and "Traceback" not in done.stderr and len(done.stderr.splitlines()) <= 5


def test_binary_configuration(tmp_path: Path) -> None:
    (tmp_path / "_quarto.yml").write_bytes(b"\xff\xfe\x00\x01")
    done = run("render", "--book", tmp_path)
    assert done.returncode == 2 and "_quarto.yml" in done.stderr and "Traceback" not in done.stderr


def test_part_of_numbers_and_umlauts(tmp_path: Path) -> None:
    files = {"index.qmd": "# Home {.unnumbered}\n", "kapitel/über uns.qmd": "# Über uns {#sec-über}\n\nText.\n"}
    book = make_book(tmp_path, files)
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 0, done.stderr
    assert "Über uns" in (book / "_book/kapitel/über uns.html").read_text(encoding="utf-8")


def test_extension_that_is_missing(tmp_path: Path) -> None:
    book = make_book(tmp_path, FILES)
    shutil.rmtree(book / "_extensions")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 2 and "_extensions/handbook" in done.stderr and "Traceback" not in done.stderr
