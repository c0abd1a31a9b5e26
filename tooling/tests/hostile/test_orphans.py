"""No process outlives the command that started it, and no page keeps a process busy without end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labhandbook.book.engine import pandoc_worker as workers
from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.load import load_book
from labhandbook.core.process import processor_seconds, run
from tooling.tests.book.preview_client import CHAPTER, FILES, ended, family, previewing
from tooling.tests.conftest import make_book
from tooling.tests.conftest import run as handbook

pytestmark = pytest.mark.long

HOME = "# Home {.unnumbered}\n"
BRACKETS = "[" * 20_000
BUSY = f"# A {{#sec-a}}\n\nWords.\n\nMore words and\n{BRACKETS}\nthe end.\n"
HANDBOOK = Path(sys.executable).with_name("handbook")


def busy_below(pid: int, seconds: float = 600) -> list[int]:
    """The processes below one, as soon as a pandoc among them has been busy for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        below = family(pid)
        for child in below:
            used = processor_seconds(child)
            if used and used[0] > 0.5 and b"worker.lua" in Path(f"/proc/{child}/cmdline").read_bytes():
                return below
        time.sleep(0.05)
    raise AssertionError("no pandoc is busy")


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("command", ["check", "render", "preview"])
def test_a_busy_pandoc_ends_with_its_command(tmp_path: Path, command: str, way: signal.Signals) -> None:
    book = make_book(tmp_path, {"index.qmd": HOME, "a.qmd": BUSY})
    options = {"check": [str(book)], "render": ["--book", str(book), "--engine", "pandoc", "--to", "html"],
               "preview": ["--book", str(book), "--no-open", "--port", "0"]}[command]
    process = subprocess.Popen([HANDBOOK, command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    try:
        below = busy_below(process.pid)
        process.send_signal(way)
        _, said = process.communicate(timeout=600)
    finally:
        process.kill()
    assert ended(below), "a process lives on"
    assert "Traceback" not in said
    assert not list(book.glob("._book*")) and not (book / "_book").exists()


@pytest.mark.parametrize("text", [BUSY, f"# A\n\n{'*a_' * 7000}\n", "# A\n\n" + "[" * 200 + ("\n[" * 20_000) + "\n"])
def test_a_page_that_keeps_pandoc_busy_is_a_finding(tmp_path: Path, text: str) -> None:
    book = make_book(tmp_path, {"index.qmd": HOME + "\nSee @sec-nowhere.\n", "a.qmd": text, "b.qmd": "# B\n"})
    done = handbook("check", book)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in said
    if "keeps pandoc busy" in said:
        line = int(said.partition("a.qmd:")[2].partition(":")[0])
        assert max("*[_".__contains__(letter) for letter in text.splitlines()[line - 1])
    assert "index.qmd:3: BOOK005" in said, "the other pages are checked"


def test_the_line_of_the_brackets_is_named(tmp_path: Path) -> None:
    book = make_book(tmp_path, {"index.qmd": HOME, "a.qmd": BUSY})
    done = handbook("render", "--book", book, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 1 and "a.qmd:6: BOOK001" in done.stderr, done.stderr
    assert "keeps pandoc busy for more than" in done.stderr
    assert not (book / "_book").exists()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A page may take half a second."""
    monkeypatch.setattr(workers, "READING", 0.5)
    monkeypatch.setattr(workers, "READING_BYTE", 0.0)
    yield


@pytest.mark.usefixtures("short")
def test_the_other_pages_of_the_same_worker_are_read_again(tmp_path: Path) -> None:
    files = {"index.qmd": HOME, "a.qmd": "# A {#sec-a}\n\nSee @sec-c.\n", "b.qmd": BUSY.replace("sec-a", "sec-b"),
             "c.qmd": "# C {#sec-c}\n"}
    with Engine(load_book(make_book(tmp_path, files)), workers=1, dated=False) as engine:
        engine.read(engine.book.pages)
        engine.prepare()
        written = {page.page.path: page for page in engine.write(engine.book.pages)}
        assert [finding.place for page in written.values() for finding in page.findings] == ["b.qmd:6"]
        assert "See" in written["a.qmd"].html and "c.html" in written["a.qmd"].html
        # The same text is not tried again.
        before = engine._pool.workers[0]._process
        engine.read([engine.book.by_path["b.qmd"]])
        assert before and engine._pool.workers[0]._process is before
        (tmp_path / "b.qmd").write_text("# B {#sec-b}\n\nShort.\n", encoding="utf-8")
        engine.read([engine.book.by_path["b.qmd"]])
        engine.prepare()
        (page,) = engine.write([engine.book.by_path["b.qmd"]])
        assert "Short." in page.html and not page.findings


@pytest.mark.usefixtures("short")
def test_a_process_that_waits_for_something_else_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WAITING", 0.5)
    os.mkfifo(tmp_path / "pipe.lua")
    worker = workers.Worker(tmp_path)
    try:
        with pytest.raises(workers.TooLong, match="wait"):
            worker.call("setup", 1, shortcodes=[str(tmp_path / "pipe.lua")], filters=[], bibliography=[], settings={})
        assert worker.alive
    finally:
        worker.close()


def test_the_preview_goes_on_beside_a_busy_page(tmp_path: Path) -> None:
    book = make_book(tmp_path / "book", FILES)
    with previewing(book) as preview:
        (book / "one.qmd").write_text(CHAPTER + f"\n{BRACKETS}\n", encoding="utf-8")
        page = preview.until("/one.html", "keeps pandoc busy", seconds=300)
        assert "The first words." in page and "one.qmd:9" in page
        (book / "two.qmd").write_text(FILES["two.qmd"] + "\nOthers go on.\n", encoding="utf-8")
        preview.until("/two.html", "Others go on.")
        (book / "one.qmd").write_text(CHAPTER + "\nShort again.\n", encoding="utf-8")
        preview.until("/one.html", "Short again.", without="keeps pandoc busy")


def test_a_forked_child_does_not_keep_the_children_alive(tmp_path: Path) -> None:
    """The watcher over the children ends them when this process ends, though a fork of it lives on."""
    note = tmp_path / "pids"
    program = (
        "import os, signal, time\n"
        "from labhandbook.core.process import start\n"
        "child = start(['sleep', '600'])\n"
        "fork = os.fork()\n"
        "if not fork:\n"
        "    time.sleep(600)\n"
        f"open({str(note)!r}, 'w').write(f'{{child.pid}} {{fork}}')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n")
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    child, fork = map(int, note.read_text().split())
    try:
        assert ended([child])
    finally:
        os.kill(fork, signal.SIGKILL)


def test_the_fork_has_a_watcher_of_its_own(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from labhandbook.core.process import run, start\n"
        "run(['true'])\n"
        "if not os.fork():\n"
        "    print(start(['sleep', '600']).pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "os.wait()\n")
    done = run([sys.executable, "-c", program])
    assert ended([int(done.stdout)])
