"""The embedded engine: the book as a site, by pandoc, for everyone without Quarto.

Pages are read by all workers at once, then written by them: numbers and labels of the whole book must be known
before the first cross-reference is resolved. A worker keeps its documents, so that the preview writes one
edited page again without touching the others.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from labhandbook.book.book_rules import READABLE, SHORTCODE
from labhandbook.book.boundary import own_file
from labhandbook.book.change_days import changed_days, commits, made_at
from labhandbook.book.chapter_source import heaviest, read_source
from labhandbook.book.contents import Page
from labhandbook.book.engine.kept_answers import KeptAnswers, file_digest
from labhandbook.book.engine.navigation import Entry, Navigation
from labhandbook.book.engine.page_findings import page_findings
from labhandbook.book.engine.pandoc_worker import COMPACT, LONGEST, Answer, Pool, TooLong, Worker, program
from labhandbook.book.engine.worker_setup import worker_setup
from labhandbook.book.extensions import foreign_shortcodes
from labhandbook.book.facts import REVIEW, variables
from labhandbook.book.model import Book, html_options
from labhandbook.book.shortcodes import QUARTO_ONLY, Answers
from labhandbook.book.source_lines import Source
from labhandbook.core.rules import Finding

# What a page may set for itself, and what the writer calls it.
OPTIONS = {"number-sections": "number", "number-depth": "depth", "toc": "toc", "toc-depth": "toc-depth"}
# How many of the newest commits a page that lists them is given.
LATEST = 200
TITLE_BLOCK = ("title", "subtitle", "description")


@dataclass
class Chapter:
    """A page after reading: its source and what pandoc read in it."""

    page: Page
    source: Source
    parsed: dict[str, Any]


@dataclass
class Written:
    """A page as HTML, the local files it shows, what is wrong with it, and the files it names that are not there."""

    page: Page
    html: str
    resources: list[str]
    findings: list[Finding] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class Engine:
    """Reads and writes the pages of one book. Use it as a context manager: it owns processes.

    The book's folder stays as it is. Without `dated`, pages don't show the day of their last change; without
    `results`, they show no results of executed cells. `kept` is what another engine of the book was answered;
    `memory` is COMPACT or QUICK.
    """

    def __init__(self, book: Book, *, workers: int | None = None, dated: bool = True, results: bool = True,
                 halt: threading.Event | None = None, kept: KeptAnswers | None = None, memory: str = COMPACT) -> None:
        self.book = book
        self._dated, self._results = dated, results
        self._halt = halt or threading.Event()
        self.chapters: dict[str, Chapter] = {}
        self.kept: dict[str, Source] = {}
        # The texts that pandoc could not read in time, by page: they are not tried again.
        self.heavy: dict[str, tuple[str, Finding]] = {}
        self.labels: dict[str, dict[str, str]] = {}
        self._workers: dict[str, Worker] = {}
        # What `compile` opened beside its requests, and whether it used something that is another each time.
        self.opened: dict[str, None] = {}
        self.fleeting = False
        self.answers = kept or KeptAnswers(book.root, f"{dated} {results}")
        self._pool = Pool(book.root, min(workers or os.cpu_count() or 1, len(book.pages)), self._halt, self.answers,
                          memory=memory)
        try:
            self.refresh()
        except BaseException:
            self._pool.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()
        self.answers.save()

    def wake(self) -> None:
        """Begin what waits for the first page that is not kept."""
        self._pool.wake()

    def refresh(self) -> None:
        """Read what all pages share: variables, dates, bibliography, extension, template.

        Raises HandbookError when one of them can't be read.
        """
        self._commits = commits(self.book.root) if self._dated else []
        self.days = changed_days(self._commits)
        self._setup = worker_setup(self.book)
        answer = self._pool.everyone("setup", **self._setup)
        self._answers = Answers(self.book.root, variables(self.book), self.book.config, set(answer["shortcodes"]),
                                QUARTO_ONLY | foreign_shortcodes(self.book), self.book.house_style, self._results)
        self.keys = set(answer["keys"])

    def read(self, pages: Iterable[Page]) -> bool:
        """Read pages from disk; True when something that other pages show has changed."""
        before = self._shared()
        pages = list(pages)
        fresh = [page for page in pages if page.path not in self._workers]
        sizes = [_size(self.book.root / page.path) for page in fresh]
        self._workers |= dict(zip((page.path for page in fresh), self._pool.spread(sizes), strict=True))
        for chapter in self._each(pages, self._read_page):
            self.chapters[chapter.page.path] = chapter
        return self._shared() != before

    def _each(self, pages: Iterable[Page], work: Callable[[Worker, Page], Answer]) -> list[Answer]:
        """Do `work` for every page by the worker that keeps its document."""
        return self._pool.each([(self._workers[page.path], page) for page in pages], work)

    def _read_page(self, worker: Worker, page: Page) -> Chapter:
        source = read_source(self._answers, page.path)
        if source.unreadable and page.path in self.kept:
            # The preview shows what it had until the file can be read again.
            source = replace(self.kept[page.path], findings=source.findings)
        source, parsed = self._ask(worker, page, source)
        for failed in parsed["unanswered"]:
            code = source.shortcodes[failed["code"] - 1]
            source.findings.append(Finding(code.file, code.line, SHORTCODE, failed["message"]))
        return Chapter(page, source, parsed)

    def _ask(self, worker: Worker, page: Page, source: Source) -> tuple[Source, dict[str, Any]]:
        """What pandoc reads in a page; if that takes too long, what it reads in the page without its text."""
        text, finding = self.heavy.get(page.path, ("", None))
        if finding is None or text != source.text:
            try:
                return source, worker.call("read", **self._request(page, source))
            except TooLong as error:
                if self._halt.is_set():
                    raise
                line = heaviest(source)
                finding = Finding(line.file, line.number, READABLE, f"{error.what}: {error.why}")
                self.heavy[page.path] = source.text, finding
        kept = self.kept.get(page.path, Source(page.path, source.meta))
        without = replace(kept, findings=[*source.findings, finding])
        return without, worker.call("read", **self._request(page, without))

    def _request(self, page: Page, source: Source, form: str = "html") -> dict[str, Any]:
        meta = {name: str(source.meta[name]) for name in TITLE_BLOCK if source.meta.get(name)}
        codes = [{"name": code.name, "args": code.args, "kwargs": code.kwargs} for code in source.shortcodes]
        if form == "html":
            meta |= self._known_of(page, source)
        return {"path": page.path, "text": source.text, "definitions": source.defines, "format": form,
                "number": page.label or None,
                "part": page.part, "appendix": page.appendix, "home": page.home, "meta": meta, "codes": codes}

    def _known_of(self, page: Page, source: Source) -> dict[str, str]:
        """What a page of the site may say of itself beyond its text."""
        known = {"handbook-page": page.path, "handbook-changed": self.days.get(page.path),
                 "handbook-review": self._answers.variables.get(REVIEW, {}).get(page.path)}
        if any(code.name == "changes" for code in source.shortcodes):
            known["handbook-commits"] = "".join(f"@{commit}\n" for commit in self._commits[:LATEST]) or "\n"
        return {name: value for name, value in known.items() if value}

    def _shared(self) -> list[Any]:
        return [(path, chapter.parsed["title_html"], chapter.parsed["labels"], sorted(chapter.parsed["cites"]))
                for path, chapter in self.chapters.items()]

    def prepare(self, downloads: Collection[str] = ()) -> None:
        """Make the labels of all read pages known to the workers, and the navigation of all pages.

        `downloads` are the formats of the whole book that are beside the pages, "pdf" and "epub".
        """
        self.labels = {}
        for path, chapter in self.chapters.items():
            for label in chapter.parsed["labels"]:
                self.labels.setdefault(label["id"], {**label, "page": path})
        self._pool.everyone("share", **self._common)
        citing = [chapter.page for chapter in self.chapters.values() if chapter.parsed["citing"]]
        for page, titles in zip(citing, self._each(citing, lambda worker, page: worker.call("title", path=page.path)),
                                strict=True):
            self.chapters[page.path].parsed.update(titles)
        self.navigation = Navigation(self.book, {path: _entry(chapter) for path, chapter in self.chapters.items()},
                                     downloads)

    def keep(self) -> None:
        """From now on a page that can't be read stays as it is now."""
        readable = {path: chapter.source for path, chapter in self.chapters.items() if not chapter.source.unreadable}
        self.kept |= readable

    @property
    def alive(self) -> bool:
        """Whether all workers run. One that died has lost its pages: make a new engine."""
        return all(worker.alive for worker in self._pool.workers)

    @property
    def _common(self) -> dict[str, Any]:
        return {"labels": self.labels, "pages": {page.path: page.url for page in self.book.pages}}

    @property
    def cited(self) -> list[str]:
        """The keys of the bibliography that the book cites, sorted."""
        return sorted(self.keys & {key for chapter in self.chapters.values() for key in chapter.parsed["cites"]})

    @property
    def changed(self) -> str:
        """The day of the newest commit to a chapter as YYYY-MM-DD, or "" where git has none."""
        return max(self.days.values(), default="")

    @property
    def made_at(self) -> int:
        """The time that the editions name as that of their making, see `change_days.made_at`."""
        return made_at(self.changed)

    def bibliography_page(self) -> Page | None:
        """The page that holds the list of references: the one with the div `#refs`."""
        return next((chapter.page for chapter in self.chapters.values() if "refs" in chapter.parsed["ids"]), None)

    def survey(self, pages: Iterable[Page]) -> list[dict[str, Any]]:
        """What the checks ask of pages that were read, see survey.lua. `prepare` must have run."""
        return self._each(pages, lambda worker, page: worker.call(
            "survey", path=page.path, pictures=self._pictures(self.chapters[page.path])))

    def write(self, pages: Iterable[Page]) -> list[Written]:
        """The pages as HTML. `prepare` must have run."""
        holder = self.bibliography_page()

        def work(worker: Worker, page: Page) -> Written:
            chapter, asked = self.chapters[page.path], self._asked(page, holder)
            numbered = asked["settings"].get("number", self.book.numbered)
            return self._judge(chapter, worker.call("html", **asked, variables=(
                self.navigation.variables(page, chapter.parsed, chapter.source.meta, numbered=numbered))))

        return self._each(pages, work)

    def markdown(self, pages: Iterable[Page]) -> list[str]:
        """The pages as Markdown, as Quarto's `llms-txt` writes them. `prepare` must have run."""
        holder = self.bibliography_page()
        return self._each(pages, lambda worker, page: str(
            worker.call("markdown", **self._asked(page, holder))["text"]))

    def _asked(self, page: Page, holder: Page | None) -> dict[str, Any]:
        """What both forms of a page are asked with; `holder` is the page with the list of references."""
        chapter = self.chapters[page.path]
        return {"path": page.path, "pictures": self._pictures(chapter),
                "settings": {OPTIONS[name]: value for name in OPTIONS for value in islice(html_options(
                    name, chapter.source.meta, *chapter.source.beside), 1) if isinstance(value, int)},
                "references": holder.url if holder else None, "bibliography": self.cited if page == holder else None}

    def _pictures(self, chapter: Chapter) -> list[str]:
        """The pictures of a page that are files of the book: pandoc opens no others."""
        return [name for name in chapter.parsed["pictures"] if own_file(self.book.root, name)]

    def _judge(self, chapter: Chapter, answer: dict[str, Any]) -> Written:
        findings, missing = page_findings(self.book, chapter.source, chapter.parsed, answer, self.labels)
        shown = [resource["path"] for resource in answer["resources"] if resource["path"] not in missing]
        return Written(chapter.page, self.navigation.complete(chapter.page, answer["html"]), shown, findings, missing)

    def compile(self, kind: str, pages: Collection[Page] | None = None, *, template: str | None = None,
                file: Path | None = None, meta: Mapping[str, object] | None = None) -> str:
        """The whole book as a Typst source (`kind` "typst"), or as an EPUB written to `file`; or only some `pages`.

        It has a worker of its own, so that it runs beside the writing of pages. `meta` is for the template.
        """
        pages = self.book.pages if pages is None else pages
        worker = Worker(self.book.root, self._halt, made_at=self.made_at)
        try:
            worker.call("setup", **self._setup)
            for page in pages:
                worker.call("read", **self._request(page, self.chapters[page.path].source, kind))
            worker.call("share", **self._common)
            answer = worker.call(
                "compile", LONGEST * len(self.book.pages), format=kind, order=[page.path for page in pages],
                keys=self.cited, template=template, openings=self.navigation.openings,
                file=str(file) if file else None,
                pictures=sorted({name for chapter in self.chapters.values() for name in self._pictures(chapter)}),
                meta={"title": self.book.title, "author": self.book.author,
                      "lang": self.book.language, **(meta or {})},
            )
        finally:
            worker.close()
            self.opened.update(worker.opened)
            self.fleeting = self.fleeting or worker.fleeting
        return str(answer.get("text", ""))

    def stands_for(self, kind: str) -> list[Any]:
        """All that `compile` is asked for the whole book, and the pictures in it by content."""
        pictures = sorted({name for chapter in self.chapters.values() for name in self._pictures(chapter)})
        return [program(), self._setup, self._common, self.cited, self.changed, self.made_at, self.book.config,
                [self._request(page, self.chapters[page.path].source, kind) for page in self.book.pages],
                [(name, file_digest(self.book.root / name)) for name in pictures]]


def _entry(chapter: Chapter) -> Entry:
    title, html = chapter.parsed["title"], chapter.parsed["title_html"]
    name = PurePosixPath(chapter.page.url)
    return Entry(title or name.stem, html or escape(name.name), chapter.parsed["id"], bool(html))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
