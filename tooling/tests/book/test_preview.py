"""`handbook preview` as a writer meets it: a real server, a real browser, and every way a file can go wrong."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tooling.tests.conftest import make_book, run

CHAPTER = "# One {#sec-one}\n\nThe first words.\n\n## A part {#sec-one-part}\n\nSee @sec-two.\n"
FILES = {
    "index.qmd": "# Home {#sec-home .unnumbered}\n\nWelcome. {{< var facts.speed >}}\n",
    "one.qmd": CHAPTER,
    "two.qmd": "# Two {#sec-two}\n\nSee @sec-one-part.\n\n{{< include _shared.md >}}\n\n![A dot](dot.svg)\n",
    "_shared.md": "Shared by two.\n",
    "dot.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><circle r="2"/></svg>',
    "chapters/facts.yml": "source: here\nchecked: 2026-01-01\nreview-by: 2027-01-01\nspeed: 12 knots\n",
}
PATH = """@article{{a2020, author = {{A, B}}, title = {{{title}}}, shorttitle = {{Tools}}, year = {{2020}},
  doi = {{10.1/a}}, keywords = {{topic:x, level:core, minutes:9, kind:book}}, annotation = {{is so.}}}}
"""
# Until an edit is seen. The machine that runs the tests may be busy with others.
SOON = 15.0


@dataclass
class Preview:
    """A running preview: its process, its address and what it has said so far."""

    process: subprocess.Popen[str]
    base: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.base.rstrip("/").rpartition(":")[2])

    @property
    def words(self) -> str:
        """All that it said."""
        return "".join(self.said)

    def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
        """The answer to a request: status, headers and text. The path is sent as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=False)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def until(self, path: str, *words: str, without: str = "\0", seconds: float = SOON) -> str:
        """The page at `path` as soon as it holds all the words."""
        end = time.monotonic() + seconds
        text = ""
        while time.monotonic() < end:
            text = self.get(path)[2]
            if all(word in text for word in words) and without not in text:
                return text
            time.sleep(0.02)
        raise AssertionError(f"{path} does not show {words}: {text[-3000:]}\n{self.words}")


@contextlib.contextmanager
def previewing(book: Path, *options: str) -> Iterator[Preview]:
    """A preview of a book, ended by Ctrl-C as its reader would; it must end well and take its processes along."""
    program = Path(sys.executable).with_name("handbook")
    process = subprocess.Popen([program, "preview", "--book", book, "--no-open", *(options or ("--port", "0"))],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "NO_COLOR": "1"}, start_new_session=True)
    preview = Preview(process)
    ready = threading.Event()

    def listen() -> None:
        assert process.stderr
        for line in process.stderr:
            preview.said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                preview.base = found[0]
                ready.set()
        ready.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        assert ready.wait(60) and preview.base, preview.words
        yield preview
        assert process.poll() is None, preview.words
        below = family(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0, preview.words
        assert not [pid for pid in below if Path(f"/proc/{pid}").exists() and "Z" not in status(pid)]
        assert "Traceback" not in preview.words
    finally:
        process.kill()


def family(pid: int) -> list[int]:
    """The processes that a process started, and theirs."""
    found = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *family(int(child))]
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                if int(child) not in found:
                    found += [int(child), *family(int(child))]
    return found


def status(pid: int) -> str:
    """A process's state."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"


def tree(folder: Path) -> dict[str, float]:
    """Every file of a folder with its time of change."""
    return {str(path): path.lstat().st_mtime for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A small book with an include, a picture, a fact and references between its pages."""
    return make_book(tmp_path / "book", FILES)


@pytest.fixture
def preview(book: Path) -> Iterator[Preview]:
    """A preview of the small book."""
    with previewing(book) as running:
        yield running


# What is served


def test_every_page_and_file_is_served_from_this_machine_only(preview: Preview) -> None:
    for path, kind in (("/", "text/html"), ("/one.html", "text/html"), ("/dot.svg", "image/svg+xml"),
                       ("/site/layout.css", "text/css"), ("/site/layout.js", "text/javascript"),
                       ("/_extensions/handbook/tokens.css", "text/css"), ("/.preview/preview.js", "text/javascript")):
        code, headers, text = preview.get(path)
        assert (code, headers["Content-Type"].split(";")[0]) == (200, kind), path
        code, head, nothing = preview.get(path, "HEAD")
        assert (code, head["Content-Length"], nothing) == (200, str(len(text.encode())), ""), path
    assert preview.base.startswith("http://127.0.0.1:")
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(2)
        other.connect(("127.0.0.2", preview.port))


@pytest.mark.parametrize("path", ["/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/_quarto.yml", "/one.qmd",
                                  "//etc/passwd", "/pagefind/../../../etc/passwd", "/pagefind/%2e%2e/site/index.html",
                                  "/site/..%2f..%2f__init__.py", "/.preview/../live.py", "/%00", "/nowhere.html"])
def test_no_address_leads_out_of_the_book(preview: Preview, path: str) -> None:
    code, _, text = preview.get(path)
    assert code == 404
    assert "root:" not in text and "Not here" in text


def test_a_taken_port_is_told_with_the_remedy(preview: Preview, book: Path) -> None:
    done = run("preview", "--book", book, "--no-open", "--port", str(preview.port))
    assert done.returncode == 2
    assert f"port {preview.port}" in done.stderr and "--port 0" in done.stderr


def test_sigterm_ends_it_cleanly(book: Path) -> None:
    with contextlib.ExitStack() as stack:
        preview = stack.enter_context(previewing(book))
        below = family(preview.process.pid)
        assert below
        preview.process.terminate()
        assert preview.process.wait(10) == 0
        assert not [pid for pid in below if Path(f"/proc/{pid}").exists() and "Z" not in status(pid)]
        stack.pop_all()


def test_the_search_index_follows_the_edits(preview: Preview, book: Path) -> None:
    preview.until("/pagefind/pagefind-entry.json", "page_count")
    before = preview.get("/pagefind/pagefind-entry.json")[2]
    (book / "one.qmd").write_text(CHAPTER + "\nA word for the index: quokka.\n", encoding="utf-8")
    end = time.monotonic() + SOON
    while preview.get("/pagefind/pagefind-entry.json")[2] == before:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert preview.get("/pagefind/pagefind.js")[0] == 200


# What follows an edit


def test_pages_follow_what_they_share(preview: Preview, book: Path) -> None:
    assert "Section\xa01.1" in preview.get("/two.html")[2]
    (book / "one.qmd").write_text(CHAPTER.replace("## A part", "## New {#sec-one-new}\n\nText.\n\n## A part")
                                  .replace("# One {", "# Uno {"), encoding="utf-8")
    preview.until("/one.html", "Uno</span></h1>")
    preview.until("/two.html", "Section\xa01.2", "Uno")
    (book / "_shared.md").write_text("Shared and new.\n", encoding="utf-8")
    preview.until("/two.html", "Shared and new.")
    (book / "chapters/facts.yml").write_text(FILES["chapters/facts.yml"].replace("12 knots", "13 knots"))
    preview.until("/", "13 knots")
    (book / "dot.svg").write_text(FILES["dot.svg"].replace('r="2"', 'r="3"'))
    preview.until("/dot.svg", 'r="3"')
    with (book / "_extensions/handbook/tokens.css").open("a") as file:
        file.write("\n/* new */\n")
    preview.until("/_extensions/handbook/tokens.css", "/* new */")


def test_code_numbers_and_paths_follow_their_files(preview: Preview, book: Path) -> None:
    study = book / "chapters/study"
    study.mkdir()
    for name, text in {"tool.py": "def bend():\n    return 2\n", "results.json": '{"score": 1.50}',
                       "index.qmd": "# Study {#sec-study}\n"}.items():
        (study / name).write_text(text)
    (book / "one.qmd").write_text(CHAPTER + "\n```{.python}\n{{< part /chapters/study/tool.py bend >}}\n```\n\n"
                                            "Score {{< var results.study.score >}}.\n\n{{< reading-path x >}}\n")
    preview.until("/one.html", "Score 1.50.", "keyword topic:x")
    (book / "references.bib").write_text(PATH.format(title="Old Tools"))
    preview.until("/one.html", "Old tools", without="BOOK003")
    (book / "references.bib").write_text(PATH.format(title="New Tools"))
    preview.until("/one.html", "New tools")
    (study / "results.json").write_text('{"score": 2.50}')
    preview.until("/one.html", "Score 2.50.")
    (study / "tool.py").write_text("def bent():\n    return 2\n")
    preview.until("/one.html", "no part, function or class named bend")
    (study / "tool.py").write_text("def bend():\n    return 345\n")
    preview.until("/one.html", "345", without="BOOK003")


def test_a_page_comes_and_goes_with_the_table_of_contents(preview: Preview, book: Path) -> None:
    config = (book / "_quarto.yml").read_text()
    (book / "three.qmd").write_text("# Three {#sec-three}\n\nThe third.\n")
    (book / "_quarto.yml").write_text(config.replace("- two.qmd", "- two.qmd\n  - three.qmd"))
    preview.until("/three.html", "The third.")
    preview.until("/one.html", "three.html")
    (book / "_quarto.yml").write_text(config)
    preview.until("/one.html", "Two", without="three.html")
    assert preview.get("/three.html")[0] == 404


def test_a_title_that_loses_its_number_renumbers_the_book(preview: Preview, book: Path) -> None:
    (book / "one.qmd").write_text(CHAPTER.replace("{#sec-one}", "{#sec-one .unnumbered}"))
    preview.until("/two.html", '<span class="chapter-number">1</span> <span class="chapter-title">Two</span></h1>')


# Mistakes


def test_a_mistake_stands_in_the_page_and_on_the_terminal(preview: Preview, book: Path) -> None:
    (book / "one.qmd").write_text(CHAPTER + "\nSee @sec-nowhere.\n")
    page = preview.until("/one.html", "BOOK005")
    assert "<code>one.qmd:9</code>" in page and "@sec-nowhere refers to nothing" in page
    assert "Use the id in the braces" in page
    end = time.monotonic() + SOON
    while "one.qmd:9: BOOK005" not in preview.words:
        assert time.monotonic() < end, preview.words
        time.sleep(0.02)
    (book / "one.qmd").write_text(CHAPTER)
    preview.until("/one.html", "The first words.", without="BOOK005")
    while "nothing is wrong any more" not in preview.words:
        assert time.monotonic() < end, preview.words
        time.sleep(0.02)


@pytest.mark.parametrize(("name", "text", "shown"), [
    ("_quarto.yml", "project: [\n", "_quarto.yml"),
    ("chapters/facts.yml", "a: b: c\n", "chapters/facts.yml:1"),
    ("_extensions/handbook/handbook.lua", "return {{{\n", "handbook.lua"),
])
def test_a_broken_shared_file_leaves_the_last_good_state(preview: Preview, book: Path, name: str, text: str,
                                                         shown: str) -> None:
    good = (book / name).read_text()
    (book / name).write_text(text)
    page = preview.until("/one.html", shown, "preview-panel")
    assert "The first words." in page
    (book / "one.qmd").write_text(CHAPTER + "\nStill alive.\n")
    preview.until("/one.html", "Still alive.", shown)
    (book / name).write_text(good)
    preview.until("/one.html", "Still alive.", 'data-pagefind-ignore hidden')


def test_a_missing_include_and_picture_are_found_when_they_come(preview: Preview, book: Path) -> None:
    (book / "one.qmd").write_text(CHAPTER + "\n{{< include later/_part.md >}}\n\n![Later](later.svg)\n")
    preview.until("/one.html", "BOOK002", "BOOK007")
    (book / "later").mkdir()
    (book / "later/_part.md").write_text("It came.\n")
    (book / "later.svg").write_text(FILES["dot.svg"])
    preview.until("/one.html", "It came.", without="BOOK00")
    assert preview.get("/later.svg")[0] == 200


# Bad input


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
    words = "Many plain words that say nothing in particular stand in this line of the chapter.\n\n" * 2000
    log = "A line of a log that someone pasted into the chapter, as it was, 0123456789.\n" * 64_000
    (book / "two.qmd").write_text(f"# Two {{#sec-two}}\n\n{words}```\n{log}```\n\nThe very end.\n")
    assert (book / "two.qmd").stat().st_size > 5_000_000
    preview.until("/two.html", "The very end.", seconds=120)
    (book / "one.qmd").write_text(CHAPTER + "\nAfter the big one.\n")
    preview.until("/one.html", "After the big one.", seconds=60)
    (book / "two.qmd").write_text(FILES["two.qmd"])
    preview.until("/two.html", "Shared by two.", seconds=60)


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
            preview.until("/pagefind/pagefind-entry.json", "page_count")
    after = tree(book)
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] != before[name]] == [str(book / "one.qmd")]


# In a browser


SEEN = """(words) => {
  window.seen = {};
  const look = () => {
    const text = document.querySelector("main").textContent;
    const now = performance.timeOrigin + performance.now();
    for (const word of text.match(/Edit-\\d+-x/g) || []) window.seen[word] ??= now;
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
}"""


def edit_to_visible(page: Any, path: Path, edits: int) -> list[float]:
    """Seconds from the write of a file to the DOM that shows the new text, for each of some edits."""
    text = path.read_text()
    page.evaluate(SEEN)
    took = []
    for number in range(edits):
        word = f"Edit-{number}-x"
        start = time.time()
        path.write_text(f"{text.rstrip()}\n\nNow {word}.\n")
        page.wait_for_function("(word) => window.seen[word]", arg=word, polling=20, timeout=SOON * 1000)
        took.append(page.evaluate("(word) => window.seen[word]", word) / 1000 - start)
        time.sleep(0.1)
    path.write_text(text)
    return took


def test_every_edit_is_seen_in_the_browser(preview: Preview, book: Path, browser: Any) -> None:
    """How soon is for tooling/bench/edit.py to say."""
    page = browser.new_page()
    page.goto(f"{preview.base}one.html")
    took = edit_to_visible(page, book / "one.qmd", 10)
    page.close()
    assert len(took) == 10 and min(took) > 0


def test_the_browser_follows_and_keeps_the_place(preview: Preview, book: Path, browser: Any) -> None:
    parts = [f"\n## Part {number} {{#sec-p{number}}}\n\nText of part {number}.\n" for number in range(60)]
    long = CHAPTER + "".join(parts)
    (book / "one.qmd").write_text(long)
    preview.until("/one.html", "Text of part 59.")
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(f"{preview.base}one.html")
    page.evaluate("() => document.getElementById('sec-p40').scrollIntoView({ behavior: 'instant' })")
    top = "() => document.getElementById('sec-p40').getBoundingClientRect().top"
    before = page.evaluate(top)
    # More text above what is read
    (book / "one.qmd").write_text(long.replace("The first words.", "The first words.\n\nAnd more.\n\n" * 10))
    page.get_by_text("And more.").first.wait_for(state="attached")
    assert abs(page.evaluate(top) - before) < 3
    assert page.locator(".copy, .anchor").count() >= 60
    # A mistake is shown above the page, and goes when it is mended
    (book / "one.qmd").write_text(long + "\nSee @sec-nowhere.\n")
    panel = page.get_by_label("Mistakes")
    panel.wait_for()
    assert "BOOK005" in panel.inner_text() and "one.qmd:" in panel.inner_text()
    assert abs(page.evaluate(top) - before) < 3
    (book / "one.qmd").write_text(long)
    panel.wait_for(state="hidden")
    # A broken configuration, then a new style sheet: the page loads again
    config = (book / "_quarto.yml").read_text()
    (book / "_quarto.yml").write_text("project: [\n")
    panel.wait_for()
    (book / "_quarto.yml").write_text(config)
    panel.wait_for(state="hidden")
    with (book / "_extensions/handbook/tokens.css").open("a") as file:
        file.write("\n:root { --hb-measure: 30rem; }\n")
    measure = "getComputedStyle(document.documentElement).getPropertyValue('--hb-measure')"
    page.wait_for_function(f"() => {measure} === '30rem'")
    # A page that is not there yet
    page.goto(f"{preview.base}three.html")
    (book / "three.qmd").write_text("# Three {#sec-three}\n\nThe third.\n")
    (book / "_quarto.yml").write_text(config.replace("- two.qmd", "- two.qmd\n  - three.qmd"))
    page.get_by_text("The third.").wait_for()
    page.close()
    assert not failed
