"""One snippet for each construct of a chapter: what the embedded engine makes of it, or where it refuses it.

`cases/book/constructs` holds them. In a file `.expect`, a line with `+` is in the page, one with `-` is not, and N is
the chapter's number. For a snippet whose name begins with `refused` it is the code, line and words of the finding.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tooling.tests.conftest import ROOT, make_book, run

CONSTRUCTS = ROOT / "tooling/tests/cases/book/constructs"
SNIPPETS = sorted(path.stem for path in CONSTRUCTS.glob("*.qmd"))
REFUSED = [name for name in SNIPPETS if name.startswith("refused")]
RENDERED = [name for name in SNIPPETS if name not in REFUSED]
FILES = {"index.qmd": "# Home {#sec-home .unnumbered}\n\nText.\n",
         "pixel.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
         "references.bib": "@book{knuth1984, author = {Knuth, D.}, title = {T}, year = {1984}}\n"}


def snippets(folder: Path, names: list[str]) -> Path:
    """A book with a page for each of the snippets."""
    pages = {f"{name}.qmd": (CONSTRUCTS / f"{name}.qmd").read_text(encoding="utf-8") for name in names}
    return make_book(folder, {**FILES, **pages})


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = snippets(tmp_path_factory.mktemp("constructs") / "book", RENDERED)
    done = run("render", "--book", folder, "--engine", "pandoc", "--to", "html")
    assert done.returncode == 0, done.stderr
    return {name: (folder / f"_book/{name}.html").read_text(encoding="utf-8") for name in RENDERED}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = snippets(tmp_path_factory.mktemp("refused") / "book", REFUSED)
    done = run("render", "--book", folder, "--engine", "pandoc", "--to", "html", "--format", "json")
    assert "Traceback" not in done.stderr, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


@pytest.mark.parametrize("name", RENDERED)
def test_rendered(name: str, pages: dict[str, str]) -> None:
    number = re.search(r'<h1 class="title"[^>]*><span class="chapter-number">(\d+)', pages[name])
    main = re.sub(r"[ \n]+", " ", re.sub(r".*<main.*?>(.*)</main>.*", r"\1", pages[name], flags=re.DOTALL))
    for line in (CONSTRUCTS / f"{name}.expect").read_text(encoding="utf-8").splitlines():
        wanted = re.sub("\u00a0(<span>)?N", f"\u00a0\\g<1>{number[1] if number else ''}", line[2:])
        assert (wanted in main) is (line[0] == "+"), (line, main)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_line(name: str, findings: list[dict[str, Any]]) -> None:
    code, line, words = (CONSTRUCTS / f"{name}.expect").read_text(encoding="utf-8").strip().split(" ", 2)
    mine = [finding for finding in findings if finding["file"] == f"{name}.qmd"]
    assert [(each["code"], each["line"]) for each in mine] == [(code, int(line))]
    assert words in mine[0]["message"]
