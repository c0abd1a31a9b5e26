"""`handbook check`: reads the book once, then runs every rule on it."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from labhandbook.book.boundary import OUTSIDE, leads_out, own_file
from labhandbook.book.checks import BOOK, programs
from labhandbook.book.checks.bibliography import read_works
from labhandbook.book.checks.check_input import Chapter, Reading, Site
from labhandbook.book.checks.internal_links import beside, present, targets
from labhandbook.book.checks.prose_tools import WANTED
from labhandbook.book.checks.shell_blocks import shell_blocks
from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.engine.pandoc_worker import QUICK
from labhandbook.book.facts import facts_files, load_facts
from labhandbook.book.load import load_book
from labhandbook.book.model import Book
from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Findings, Severity

# The handbook's own style: these rules look only at books that use its extension.
HOUSE_STYLE = {"BOOK009", "BOOK015", "BOOK020", "BOOK021", "BOOK023", "BOOK024", "BOOK025", "BOOK029", "BOOK030",
               "BOOK031", "BOOK032", "BOOK033"}
# Errors in the handbook, advice in other books: Quarto renders the page as its author meant it.
ADVICE = {"BOOK012", "BOOK013", "BOOK014", "BOOK018", "BOOK019", "BOOK022"}
# Parts of messages of other rules that are advice there.
ADVICE_OF = ("has no number", "(math-", "(empty-list-item)", "is never used", "(html-entities)",
             "://")
# Code of a page: its names are no English. The handbook's own is checked too.
CODE = re.compile(r"^[ \t>]*(`{3,}|~{3,}).*?(?:^[ \t>]*\1|\Z)|(`+)(?!`)[^\n]*?(?<!`)\2(?!`)",
                  re.DOTALL | re.MULTILINE)
NO_PAGES = {"site_libs"}


@dataclass(frozen=True)
class Checked:
    """What a check found, and how many chapters it covered."""

    findings: Findings
    pages: int


def check_book(start: Path, *, site: Path | None = None, today: date | None = None) -> Checked:
    """Check the book at `start`: all of it, or what is under `start` if that is a part of it.

    `site` is a built site to check; by default the book's own output folder, if it exists and the whole book is
    checked. Raises HandbookError when there is no book or it can't be read at all.
    """
    if not start.exists():
        raise HandbookError(f"{start} does not exist", todo="name a folder of the book or one of its chapter files",
                            section="sec-contributing-check")
    book = load_book(start, render=False)
    scope = start.resolve().relative_to(book.root).as_posix()
    if site is not None and not site.is_dir():
        raise HandbookError(f"{site} is not a folder", why="--site names the folder of a built site",
                            todo="render the book first: handbook render", section="sec-contributing-check")
    if site is not None and book.root.is_relative_to(site.resolve()):
        raise HandbookError(f"{site} holds the book itself", why="--site names the folder of a built site",
                            todo="name the book's output folder", section="sec-contributing-check")
    if site is None and scope == "." and book.output.is_dir():
        site = book.output
    with reading_of(book, site, today or date.today()) as reading:
        found = BOOK.run(reading, without=() if book.house_style else HOUSE_STYLE)
    if not book.house_style:
        found = Findings.of((_elsewhere(finding, book) for finding in found), found.rules - len(HOUSE_STYLE))
    return Checked(_in_scope(found, scope, reading), len(reading.chapters))


def _elsewhere(finding: Finding, book: Book) -> Finding:
    """A finding as it counts in a book that does not ask for house style."""
    if finding.weight is not Severity.ERROR:
        return finding
    unread = finding.rule.code == "BOOK006" and any(leads_out(book.root, name) for name in book.named_bibliography)
    if unread or OUTSIDE in finding.message:
        return replace(finding, severity=Severity.UNVERIFIED)
    advice = finding.rule.code in ADVICE or any(part in finding.message for part in ADVICE_OF)
    return replace(finding, severity=Severity.WARNING) if advice else finding


def _in_scope(found: Findings, scope: str, reading: Reading) -> Findings:
    """The findings under `scope`."""
    chapter = reading.chapters.get(scope)
    files = {scope, *(chapter.source.includes if chapter else ())}
    inside = (finding for finding in found
              if scope == "." or finding.weight is Severity.UNVERIFIED or finding.file in files
              or finding.file.startswith(f"{scope}/")
              or (reading.site and finding.file.startswith(f"{reading.site.shown}/")))
    return Findings.of(inside, found.rules)


@contextlib.contextmanager
def reading_of(book: Book, site: Path | None, today: date) -> Iterator[Reading]:
    """Everything that the checks look at, read by the engine, and by tools that may still be at work."""
    reading = Reading(book, today)
    jobs = reading.tools
    reading.files = sorted(chapter_files(book))
    # The folder goes last: a tool that is still at work would make it again.
    with tempfile.TemporaryDirectory(prefix="handbook-check-") as folder, ThreadPoolExecutor(4) as threads:
        texts = {name: text for name in {*reading.files, *book.by_path}
                 if own_file(book.root, name) and (text := _text(book.root / name))}
        facts = {path.relative_to(book.root).as_posix(): _text(path) for path in facts_files(book.root)
                 if book.house_style}
        jobs["panache"] = threads.submit(programs.panache, texts, Path(folder, "pages"), WANTED)
        english = texts | facts if book.language.lower().startswith("en") else {}
        if not book.house_style:
            english = {name: CODE.sub(lambda code: "\n" * code[0].count("\n"), text)
                       for name, text in english.items()}
        jobs["codespell"] = threads.submit(programs.codespell, book.root, english, Path(folder, "spelling"))
        if site:
            jobs["lychee"] = threads.submit(programs.lychee, site.resolve(), Path(folder, "links"))
            reading.site = read_site(book, site.resolve())
        with Engine(book, dated=False, results=False, memory=QUICK) as engine:
            read_chapters(reading, engine)
        reading.blocks = [block for chapter in reading.chapters.values() for block in shell_blocks(chapter)]
        jobs["bash"] = threads.submit(programs.bash, reading.blocks, Path(folder))
        read_data(reading)
        yield reading


def read_chapters(reading: Reading, engine: Engine) -> None:
    """Let the engine read all pages and answer what the checks ask."""
    book = reading.book
    engine.read(book.pages)
    engine.prepare()
    for page, survey in zip(book.pages, engine.survey(book.pages), strict=True):
        known = engine.chapters[page.path]
        reading.chapters[page.path] = Chapter(page, known.source, known.parsed, survey)
    holder = engine.bibliography_page()
    reading.bibliography_page = holder.path if holder else None
    reading.labels, reading.keys, reading.cited = engine.labels, engine.keys, set(engine.cited)


def read_data(reading: Reading) -> None:
    """Read the facts, the bibliography and which files are there."""
    root = reading.book.root
    reading.facts = load_facts(root) if reading.book.house_style else []
    for name in {fact.file for fact in reading.facts}:
        reading.texts[name] = untrusted_data.text(root / name, name).splitlines()
    for name in reading.book.bibliography:
        reading.works += read_works(untrusted_data.text(root / name, name), name)
    for chapter in reading.chapters.values():
        chapter.targets = targets(reading.book, chapter)
        for file in {target.file for target in chapter.targets} - reading.present:
            if present(root, file):
                reading.present.add(file)
            else:
                reading.beside.setdefault(str(Path(file).parent), beside(root, file))


def chapter_files(book: Book) -> Iterator[str]:
    """The .qmd files beside `_quarto.yml` and under the folders that hold listed chapters.

    Names that begin with an underscore or a dot are for includes and tools.
    """
    tops = sorted({Path(page.path).parts[0] for page in book.pages if "/" in page.path})
    yield from (path.name for path in book.root.glob("[!._]*.qmd"))
    for top in tops:
        for folder, names, files in os.walk(book.root / top):
            names[:] = [name for name in names if not name.startswith((".", "_")) and name != "node_modules"]
            here = Path(folder).relative_to(book.root)
            yield from ((here / name).as_posix() for name in files
                        if name.endswith(".qmd") and not name.startswith((".", "_")))


def _text(path: Path) -> str:
    """What a tool can be given of a file: text that can be read, else nothing."""
    try:
        text = untrusted_data.text(path)
    except HandbookError:
        return ""
    return text if "\0" not in text else ""


def read_site(book: Book, site: Path) -> Site:
    """The pages of a built site. Raises HandbookError when one of them can't be read."""
    shown = site.relative_to(book.root).as_posix() if site.is_relative_to(book.root) else site.as_posix()
    names = (path.relative_to(site) for path in sorted(site.rglob("*.html")))
    try:
        pages = {name.as_posix(): untrusted_data.content(site / name).decode(errors="replace")
                 for name in names if NO_PAGES.isdisjoint(name.parts) and own_file(site, name.as_posix())}
    except HandbookError as error:
        raise HandbookError(f"a page of the built site can't be read: {error.what}", where=error.where,
                            todo="render the book again", section="sec-contributing-check") from None
    return Site(shown, site.as_posix(), pages)

