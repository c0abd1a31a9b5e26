"""The books that the tests of the site read: every construct once, and the handbook itself.

A book is rendered once an engine, and again only for another engine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tooling.tests.book.page_reader import Page, pages
from tooling.tests.book.preview_client import FILES, Preview, previewing
from tooling.tests.book.test_constructs import RENDERED, snippets
from tooling.tests.conftest import QUARTO, ROOT, make_book, run

EVERYTHING = Path(__file__).with_name("everything")
CHAPTERS: list[object] = [
    "index.qmd",
    {"part": "chapters/alpha/index.qmd", "chapters": ["chapters/alpha/one.qmd", "chapters/alpha/two.qmd"]},
    {"part": "Part Beta",
     "chapters": ["chapters/beta/three.qmd", "chapters/beta/aside.qmd", "chapters/beta/four.qmd"]},
    "references.qmd",
]
COMMITTED = "2026-02-03"
# Quarto's pre-render script asks the package for the facts.
WITH_PACKAGE = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

Sites = Callable[[str, str], Path]


def git(folder: Path, *args: str, day: str = COMMITTED) -> None:
    """Run git in a folder as nobody in particular, on a given day."""
    who = {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER")
           for name, value in (("NAME", "T"), ("EMAIL", "t@example.org"), ("DATE", f"{day}T12:00:00Z"))}
    subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True,
                   env={**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull})


def everything_in(folder: Path) -> Path:
    """Write the book of every construct into a folder."""
    files = {path.relative_to(EVERYTHING).as_posix(): path.read_text(encoding="utf-8")
             for path in EVERYTHING.rglob("*") if path.is_file()}
    return make_book(folder, files, CHAPTERS, downloads=["pdf", "epub"])


@pytest.fixture(scope="session")
def everything_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book of every construct, committed to git."""
    book = everything_in(tmp_path_factory.mktemp("everything"))
    git(book, "init", "--quiet")
    git(book, "add", "--all")
    git(book, "commit", "--quiet", "--message", "all")
    return book


@pytest.fixture(scope="session")
def handbook_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handbook's sources with their history, where no other render comes in the way."""
    book = tmp_path_factory.mktemp("handbook") / "handbook"
    made = shutil.ignore_patterns(".venv*", ".quarto", "_book", "node_modules", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, book, ignore=made, symlinks=True)
    return book


@pytest.fixture(scope="session")
def books(everything_book: Path, handbook_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The books that are read whole."""
    constructs = snippets(tmp_path_factory.mktemp("constructs") / "book", RENDERED)
    return {"everything": everything_book, "constructs": constructs, "handbook": handbook_copy}


@pytest.fixture(scope="session")
def sites(books: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """The site of one of the `books` by an engine, rendered when first asked for."""
    made: dict[tuple[str, str], Path] = {}

    def site(name: str, engine: str) -> Path:
        if (name, engine) not in made:
            output = tmp_path_factory.mktemp("site") / "site"
            done = run("render", "--book", books[name], "--engine", engine, "--to", "html", "--output", output,
                       PATH=WITH_PACKAGE, timeout=QUARTO)
            assert done.returncode == 0, done.stderr
            made[name, engine] = output
        return made[name, engine]

    return site


@pytest.fixture(scope="session")
def everything_site(engine: str, sites: Sites) -> Path:
    """The book of every construct as a site, by the engine at hand."""
    return sites("everything", engine)


@pytest.fixture(scope="session")
def everything(everything_site: Path) -> dict[str, Page]:
    """The pages of the book of every construct."""
    return pages(everything_site)


@pytest.fixture(scope="session")
def handbook_site(engine: str, sites: Sites) -> Path:
    """The handbook itself, by the engine at hand."""
    return sites("handbook", engine)


@pytest.fixture(scope="session")
def handbook(handbook_site: Path) -> dict[str, Page]:
    """The pages of the handbook."""
    return pages(handbook_site)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A small book with an include, a picture, a fact and references between its pages."""
    return make_book(tmp_path / "book", FILES)


@pytest.fixture
def preview(book: Path) -> Iterator[Preview]:
    """A preview of the small book."""
    with previewing(book) as running:
        yield running
