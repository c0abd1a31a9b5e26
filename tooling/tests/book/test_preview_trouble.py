"""A preview lives on, whatever becomes of a file: vanished, binary, huge, saved ten times a second."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from labhandbook.book.engine.search_index import INDEX
from tooling.tests.book.preview_client import CHAPTER, FILES, Preview, family, previewing, tree

pytestmark = pytest.mark.walk


def vanish(book: Path) -> None:
    (book / "one.qmd").unlink()


def binary(book: Path) -> None:
    (book / "one.qmd").write_bytes(b"\x7fELF\x00\x01\xff\xfe" * 1000)


def latin(book: Path) -> None:
    (book / "one.qmd").write_bytes("# Käse\n".encode("latin-1"))


def folder(book: Path) -> None:
    (book / "one.qmd").unlink()
    (book / "one.qmd").mkdir()


def circle(book: Path) -> None:
    (book / "one.qmd").unlink()
    (book / "one.qmd").symlink_to("one.qmd")


@pytest.mark.parametrize("spoil", [vanish, binary, latin, folder, circle])
def test_a_page_that_cannot_be_read_stays_as_it_was(preview: Preview, book: Path,
                                                    spoil: Callable[[Path], None]) -> None:
    spoil(book)
    page = preview.until("/one.html", "BOOK001")
    assert "The first words." in page
    (book / "two.qmd").write_text(FILES["two.qmd"] + "\nOthers go on.\n")
    preview.until("/two.html", "Others go on.")
    if (book / "one.qmd").is_dir():
        (book / "one.qmd").rmdir()
    (book / "one.qmd").unlink(missing_ok=True)
    (book / "one.qmd").write_text(CHAPTER + "\nBack again.\n")
    preview.until("/one.html", "Back again.", without="BOOK001")


def test_the_ways_of_editors(preview: Preview, book: Path) -> None:
    path = book / "one.qmd"
    # vim: a probe, a swap file, the old text moved away, the new one written, the backup removed
    (book / "4913").write_text("")
    (book / "4913").unlink()
    (book / ".one.qmd.swp").write_bytes(b"b0VIM 9.1\x00")
    path.rename(book / "one.qmd~")
    path.write_text(CHAPTER + "\nBy vim.\n")
    (book / "one.qmd~").unlink()
    preview.until("/one.html", "By vim.", without="BOOK001")
    # others: written beside, renamed over
    (book / "one.qmd.tmp").write_text(CHAPTER + "\nBy rename.\n")
    (book / "one.qmd.tmp").replace(path)
    preview.until("/one.html", "By rename.")
    # emacs: a lock that is a dangling link, an autosave
    (book / ".#one.qmd").symlink_to("nobody@nowhere.1:2")
    (book / "#one.qmd#").write_text("half")
    # emptied, then filled in pieces
    with path.open("w") as file:
        for line in (CHAPTER + "\nBy pieces.\n").splitlines(keepends=True):
            file.write(line)
            file.flush()
            time.sleep(0.01)
    preview.until("/one.html", "By pieces.")


def test_ten_saves_in_a_second_end_with_the_last(preview: Preview, book: Path) -> None:
    for number in range(10):
        (book / "one.qmd").write_text(CHAPTER + f"\nSave {number:02}.\n")
        time.sleep(0.09)
    preview.until("/one.html", "Save 09.")
    for number in range(10, 40):
        (book / "one.qmd").write_text(CHAPTER + f"\nSave {number:02}.\n")
    preview.until("/one.html", "Save 39.")


def test_symbolic_links_that_lead_in_circles(book: Path) -> None:
    (book / "chapters/loop").symlink_to("..")
    (book / "loop").symlink_to(".")
    (book / "_extensions/handbook/loop").symlink_to("..")
    with previewing(book) as preview:
        (book / "one.qmd").write_text(CHAPTER + "\nNo dizziness.\n")
        preview.until("/one.html", "No dizziness.")


def test_a_chapter_of_five_megabytes(preview: Preview, book: Path) -> None:
    words = "Many plain words that say nothing in particular are in this line of the chapter.\n\n" * 2000
    log = "A line of a log that someone pasted into the chapter, as it was, 0123456789.\n" * 64_000
    (book / "two.qmd").write_text(f"# Two {{#sec-two}}\n\n{words}```\n{log}```\n\nThe very end.\n")
    assert (book / "two.qmd").stat().st_size > 5_000_000
    preview.until("/two.html", "The very end.", seconds=1200)
    (book / "one.qmd").write_text(CHAPTER + "\nAfter the big one.\n")
    preview.until("/one.html", "After the big one.", seconds=600)
    (book / "two.qmd").write_text(FILES["two.qmd"])
    preview.until("/two.html", "Shared by two.", seconds=600)


def test_a_worker_that_dies_is_replaced(preview: Preview, book: Path) -> None:
    for pid in family(preview.process.pid):
        if b"worker.lua" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    (book / "one.qmd").write_text(CHAPTER + "\nRisen.\n")
    preview.until("/one.html", "Risen.", without="pandoc failed")


def test_two_previews_at_once_and_nothing_is_written(book: Path) -> None:
    before = tree(book)
    with previewing(book) as first, previewing(book) as second:
        assert first.port != second.port
        (book / "one.qmd").write_text(CHAPTER + "\nSeen twice.\n")
        for preview in (first, second):
            preview.until("/one.html", "Seen twice.")
            preview.until(f"/{INDEX}", "Seen twice.")
    after = tree(book)
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] != before[name]] == [str(book / "one.qmd")]
