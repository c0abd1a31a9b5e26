"""Rules for what leads from one place of the book to another."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from labhandbook.book.book_rules import CITATION, INCLUDE, LINK, REFERENCE
from labhandbook.book.boundary import OUTSIDE, leads_out, own_file
from labhandbook.book.checks.chapter_text import problems
from labhandbook.book.checks.check_input import BOOK, Chapter, Reading, Target
from labhandbook.book.contents import CONFIG
from labhandbook.book.engine.navigation import old_addresses
from labhandbook.book.model import Book
from labhandbook.book.source_positions import Places
from labhandbook.core.rules import At, Severity
from labhandbook.core.wording import hint, nearest

SCHEME = re.compile(r"^(?:[A-Za-z][\w+.-]*:|//)")
# Ids that a page gets when it is rendered.
RENDERED = re.compile(r"^(?:fn(?:ref)?\d+|refs|title-block-header|top)$")


@BOOK.finds(REFERENCE)
def reference(reading: Reading) -> Iterator[At]:
    """`@sec-...` and its like without a target."""
    numbered = [name for name, label in reading.labels.items() if label["number"]]
    # The target may be in a file of a submodule that is not checked out.
    unread = any(finding.rule is INCLUDE and finding.weight is Severity.UNVERIFIED
                 for chapter in reading.chapters.values() for finding in chapter.source.findings)
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for needle, message in problems(chapter, "reference"):
            known = needle[1:] in reading.labels
            found = places.word(needle).at(message + ("" if known else hint(needle[1:], numbered, prefix="@")))
            yield replace(found, severity=Severity.UNVERIFIED) if unread and not known else found


@BOOK.finds(CITATION)
def citation(reading: Reading) -> Iterator[At]:
    """`@key` without an entry, which may be a misspelt cross-reference."""
    known = [*sorted(reading.keys), *reading.labels]
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for needle, message in problems(chapter, "citation"):
            yield places.word(needle).at(message + hint(needle[1:], known, prefix="@"))


def resolve(chapter: Chapter, written: str, site: str) -> Target | None:
    """The target of a link or an image; None when it leads out of the book."""
    if site and written.startswith(f"{site}/"):
        path, _, fragment = written.removeprefix(f"{site}/").partition("#")
        return Target(written, path, unquote(fragment)) if path.endswith(".html") else None
    if not written or SCHEME.match(written):
        return None
    path, _, fragment = written.partition("#")
    path = unquote(path.partition("?")[0])
    if path.startswith("/"):
        return Target(written, path.lstrip("/"), unquote(fragment))
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(chapter.page.path), path)) if path else ""
    return Target(written, joined, unquote(fragment))


def targets(book: Book, chapter: Chapter) -> list[Target]:
    """What the links and images of a page lead to inside the book."""
    site = str(book.settings.get("site-url", "")).rstrip("/")
    written = [*chapter.survey["links"], *(image["src"] for image in chapter.survey["images"])]
    return [target for each in written if (target := resolve(chapter, each, site))]


@BOOK.finds(LINK)
def link(reading: Reading) -> Iterator[At]:
    """Links and images whose file does not exist or is no page."""
    book = reading.book
    aliases = {old: path for path, chapter in reading.chapters.items()
               for old in old_addresses(chapter.page, chapter.source.meta).values()}
    by_url = {page.url: page.path for page in book.pages}
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for target in chapter.targets:
            problem = ""
            if target.file and target.file not in book.by_path:
                problem = _no_page(reading, chapter, target, by_url, aliases)
            elif target.file and reading.labels.get(target.fragment, {}).get("kind") == "part":
                problem = "is a part's title, which a PDF can't link to: link to a section"
            if problem:
                yield places.word(target.written).at(f"{target.written} {problem}")


def _no_page(reading: Reading, chapter: Chapter, target: Target, by_url: dict[str, str],
             aliases: dict[str, str]) -> str:
    """What is wrong with a target that is no source of a page; empty when it is another file of the book."""
    book = reading.book
    folder = posixpath.dirname(chapter.page.path)
    absolute = bool(SCHEME.match(target.written))

    def write(path: str) -> str:
        return path if absolute else posixpath.relpath(path, folder or ".")

    if absolute and target.file in by_url:
        return ""
    url = str(PurePosixPath(target.file).with_suffix(".html"))
    if url in aliases:
        return f"has moved: write {write(aliases[url])}"
    if not absolute and target.file in by_url:
        return f"is a built page: write {write(by_url[target.file])}, so that both engines find it"
    if absolute or target.file not in reading.present:
        beside = reading.beside.get(str(PurePosixPath(target.file).parent), [])
        near = nearest(target.file, by_url if absolute else [*book.by_path, *beside])
        if leads_out(book.root, target.file):
            return f"leads to no file of the book: {OUTSIDE}"
        return "leads to no file of the book" + (f"; did you mean {write(near)}?" if near else "")
    return f"is not a chapter that {CONFIG} lists" if target.file.endswith(".qmd") else ""


def present(root: Path, file: str) -> bool:
    """Whether `file` is a file inside the book."""
    return own_file(root, file) is not None


def beside(root: Path, file: str) -> list[str]:
    """The files in the folder of `file`, by their paths from the root."""
    folder = PurePosixPath(file).parent
    if leads_out(root, str(folder)):
        return []
    try:
        return [str(folder / entry.name) for entry in (root / folder).iterdir() if entry.is_file()]
    except (OSError, ValueError):
        return []


@BOOK.rule("BOOK011", "The place on a page that a link names exists", section="sec-contributing-rules",
           why="Readers land at the top of the page and have to search; Quarto says nothing.",
           fix="Use the id in the braces after the heading, or a cross-reference such as @sec-topic.")
def anchor(reading: Reading) -> Iterator[At]:
    """Links to a `#fragment` that the page does not have."""
    by_url = {page.url: page.path for page in reading.book.pages}
    for chapter in reading.chapters.values():
        places = Places(chapter.source)
        for target in chapter.targets:
            path = by_url.get(target.file, target.file) if target.file else chapter.page.path
            page = reading.chapters.get(path)
            name = target.fragment
            if not page or not name or name in page.anchors or RENDERED.match(name):
                continue
            if path == reading.bibliography_page and name.removeprefix("ref-") in reading.cited:
                continue
            if not target.file and reading.labels.get(name, {}).get("kind") in ("sec", "chapter", "appendix", "part"):
                continue  # Quarto leads such a link to the heading on the other page
            if not target.file and name.startswith("ref-") and name.removeprefix("ref-") in reading.cited:
                continue
            yield places.word(target.written).at(f"{path} has no place #{name}{_elsewhere(reading, page, name)}")


def _elsewhere(reading: Reading, page: Chapter, name: str) -> str:
    owner = reading.labels.get(name, {}).get("page")
    return f"; it is in {owner}" if owner else hint(name, page.anchors, prefix="#")


@BOOK.rule("BOOK012", "Every chapter file is listed in _quarto.yml", section="sec-contributing-write",
           why="No engine renders a .qmd file that _quarto.yml does not list.",
           fix="List the file in _quarto.yml, or begin its name with an underscore if other chapters include the "
               "file.")
def listed(reading: Reading) -> Iterator[At]:
    """Chapter files that no reader will see."""
    for file in reading.files:
        if file not in reading.book.by_path and file not in reading.included:
            yield At(f"{file} is not listed in {CONFIG}", file)
