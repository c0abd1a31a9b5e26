"""`handbook preview` as a writer uses it: a real server, and pages that follow every edit and show every mistake."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path

import pytest

from labhandbook.book.engine.search_index import INDEX
from tooling.tests.book.preview_client import CHAPTER, FILES, PATH, SOON, Preview, ended, family, previewing
from tooling.tests.conftest import run

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
                                  "//etc/passwd", "/site/../../../etc/passwd", "/site/%2e%2e/%2e%2e/site/index.html",
                                  "/site/..%2f..%2f__init__.py", "/.preview/../live.py", "/%00", "/nowhere.html"])
def test_no_address_leads_out_of_the_book(preview: Preview, path: str) -> None:
    code, _, text = preview.get(path)
    assert code == 404
    assert "root:" not in text and "Not here" in text


def test_a_taken_port_is_named_with_the_remedy(preview: Preview, book: Path) -> None:
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
        assert ended(below)
        stack.pop_all()


def test_the_search_index_follows_the_edits(preview: Preview, book: Path) -> None:
    assert "quokka" not in preview.get(f"/{INDEX}")[2]
    (book / "one.qmd").write_text(CHAPTER + "\nA word for the index: quokka.\n", encoding="utf-8")
    preview.until(f"/{INDEX}", "quokka")
    assert preview.get("/site/search.js")[0] == preview.get("/site/minisearch.js")[0] == 200


# What follows an edit


def test_pages_follow_what_they_share(preview: Preview, book: Path) -> None:
    assert "<span>1.1</span></a>" in preview.get("/two.html")[2]
    (book / "one.qmd").write_text(CHAPTER.replace("## A part", "## New {#sec-one-new}\n\nText.\n\n## A part")
                                  .replace("# One {", "# Uno {"), encoding="utf-8")
    preview.until("/one.html", "Uno</span></h1>")
    preview.until("/two.html", "A part</span>", "<span>1.2</span></a>", "Uno")
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
    preview.until("/two.html", '<span class="chapter-number">1</span>\xa0<span class="chapter-title">Two</span></h1>')


# Mistakes


def test_a_mistake_is_in_the_page_and_on_the_terminal(preview: Preview, book: Path) -> None:
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
    while "everything is correct again" not in preview.words:
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
    preview.until("/one.html", "Still alive.", 'data-search-ignore hidden')


def test_a_missing_include_and_picture_are_found_when_they_come(preview: Preview, book: Path) -> None:
    (book / "one.qmd").write_text(CHAPTER + "\n{{< include later/_part.md >}}\n\n![Later](later.svg)\n")
    preview.until("/one.html", "BOOK002", "BOOK007")
    (book / "later").mkdir()
    (book / "later/_part.md").write_text("It came.\n")
    (book / "later.svg").write_text(FILES["dot.svg"])
    preview.until("/one.html", "It came.", without="BOOK00")
    assert preview.get("/later.svg")[0] == 200
