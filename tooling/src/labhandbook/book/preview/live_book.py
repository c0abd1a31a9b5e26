"""The book in memory, kept as new as its files: what the preview shows.

One thread changes it, any number of threads read it. A page is written again when its text changes; the other
pages follow when it changed something that they show. What can't be read leaves the last good state as it
is, with a message about it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from labhandbook.book.contents import CONFIG, Page
from labhandbook.book.engine.navigation import old_addresses, redirect
from labhandbook.book.engine.pandoc_engine import Engine, Written
from labhandbook.book.engine.pandoc_worker import LUA, QUICK
from labhandbook.book.engine.site_files import SERVED, SITE
from labhandbook.book.facts import facts_files, results_files
from labhandbook.book.load import load_book
from labhandbook.book.model import Book, as_list
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding

# Pages written at once when many must follow; seconds to wait for the end of a save; bytes that take a while to save.
AT_ONCE = 4
SETTLE = 0.03
LARGE = 1_000_000


@dataclass
class Shown:
    """A page as the preview shows it. `error` is what kept its newest text from being shown."""

    html: str
    findings: list[Finding] = field(default_factory=list)
    version: int = 0
    error: HandbookError | None = None
    resources: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass
class Inputs:
    """The files that the book is made of, absolute, by what a change of one asks for."""

    pages: dict[Path, set[str]]
    assets: set[Path]
    shared: set[Path]

    @property
    def files(self) -> set[Path]:
        """All of them."""
        return {*self.pages, *self.assets, *self.shared}


class LiveBook:
    """The pages of a book and what is wrong with them. Use it as a context manager: it owns processes.

    `halt` is an event that ends what they do.
    """

    def __init__(self, book: Book, halt: threading.Event | None = None) -> None:
        self.book = book
        self._halt = halt
        self.news = threading.Condition()
        self.closed = False
        self.viewers: Counter[str] = Counter()
        self.pages: dict[str, Shown] = {}
        self.moved: dict[str, str] = {}
        self.files: dict[str, Path] = {}
        self.trouble: dict[str, HandbookError] = {}
        self._version = self._assets = self._news = 0
        self._defect = False
        self._stale: dict[str, None] = {}
        self._shared: set[Path] = set()
        self._engine = self._start(book)
        self._write(book.pages)
        self._keep()
        self._shared = self.inputs().shared
        self._engine.answers.save()
        self._engine.wake()

    def __enter__(self) -> LiveBook:
        return self

    def __exit__(self, *_: object) -> None:
        with self.news:
            self.closed = True
            self.news.notify_all()
        self._engine.__exit__()

    # What readers ask

    def version(self, url: str) -> str:
        """What changes when the page at `url` does; the part before the dot when it must be loaded again."""
        shown = self.pages.get(url)
        return f"{self._assets}.{shown.version if shown else 0}.{self._news}"

    def problems(self, url: str) -> tuple[list[HandbookError], list[Finding]]:
        """What is wrong with the page at `url`, and with the book as a whole."""
        shown = self.pages.get(url)
        errors = [*self.trouble.values(), *([shown.error] if shown and shown.error else [])]
        return errors, shown.findings if shown else []

    def section(self, name: str) -> str | None:
        """The address of the section with the id `name`, from the site's root."""
        label = self._engine.labels.get(name)
        page = self.book.by_path.get(label["page"]) if label else None
        return f"{page.url}#{name}" if page else None

    # What the files say

    def inputs(self) -> Inputs:
        """The files to watch, as the book is now. Some may not exist."""
        root, book = self.book.root, self.book
        pages: dict[Path, set[str]] = {}
        for page in book.pages:
            chapter = self._engine.chapters.get(page.path)
            for name in {page.path, *(chapter.source.includes if chapter else ())}:
                pages.setdefault(root / name, set()).add(page.path)
            for name in self.pages[page.url].missing if page.url in self.pages else ():
                pages.setdefault(root / name, set()).add(page.path)
        assets = {root / name for shown in self.pages.values() for name in shown.resources}
        assets |= {root / name for name in self.book.styles}
        assets |= {SITE / name for name in (*SERVED, "preview.css", "preview.js")}
        shared = {root / CONFIG, *facts_files(root), *results_files(root),
                  *(root / name for name in book.bibliography),
                  *(root / name for name in (*book.included_files, *as_list(book.html_option("csl")))),
                  SITE / "page.html", *LUA.glob("*.lua")}
        for name in as_list(book.config.get("filters")):
            shared |= {path for path in (root / "_extensions" / name).rglob("*") if path.suffix in (".lua", ".yml")}
        return Inputs(pages, assets - pages.keys(), shared - pages.keys() - assets)

    def update(self, changed: set[Path], inputs: Inputs) -> list[str]:
        """Take in the `inputs` that changed; the paths of the pages that were written. `follow` does the rest."""
        before, self._shared = self._shared, inputs.shared
        if changed & (inputs.shared | before) or self._defect or not self._engine.alive:
            return self._start_again()
        if assets := changed & inputs.assets:
            self._assets += 1
            self._stale |= {page.path: None for page in self.book.pages if page.url in self.pages
                            and any(self.book.root / name in assets for name in self.pages[page.url].resources)}
        wanted = {name for path in changed for name in inputs.pages.get(path, ())}
        pages = [page for page in self.book.pages if page.path in wanted]
        if any(map(_unsettled, changed & inputs.pages.keys())):
            time.sleep(SETTLE)
        written = self._edit(pages) if pages else []
        if not self._engine.alive:
            return self._start_again()
        self._publish()
        if pages and "book" not in self.trouble and self._contents_changed():
            return self._start_again()
        return written

    def follow(self) -> bool:
        """Write some of the pages that must follow a change elsewhere, those first that are looked at."""
        if not self._stale:
            return False
        seen = sorted((path for path in self._stale if path in self.book.by_path),
                      key=lambda path: not self.viewers[self.book.by_path[path].url])
        now = seen[:AT_ONCE]
        self._write([self.book.by_path[path] for path in now])
        for path in [*now, *(path for path in self._stale if path not in self.book.by_path)]:
            self._stale.pop(path, None)
        self._publish()
        return bool(self._stale)

    def broken(self, error: Exception) -> None:
        """Show a defect of the preview itself; the next change makes everything again."""
        self._defect = True
        self._trouble("book", HandbookError(f"the preview failed: {type(error).__name__}: {error}",
                                            todo="save again; if this comes back, report what the terminal says",
                                            section="sec-contributing"))

    def _start(self, book: Book, kept: Engine | None = None) -> Engine:
        engine = Engine(book, dated=False, halt=self._halt, kept=kept.answers if kept else None, memory=QUICK)
        try:
            if kept:
                engine.kept, engine.heavy = dict(kept.kept), dict(kept.heavy)
            engine.read(book.pages)
            engine.prepare()
        except BaseException:
            engine.__exit__()
            raise
        return engine

    def _start_again(self) -> list[str]:
        """Read everything again, or keep what there is and say why."""
        try:
            book = load_book(self.book.root)
            engine = self._start(book, self._engine)
        except HandbookError as error:
            self._trouble("book", error)
            return []
        old, self._engine, self.book = self._engine, engine, book
        old.__exit__()
        for url in self.pages.keys() - {page.url for page in book.pages}:
            del self.pages[url]
        self.trouble.clear()
        self._defect = False
        self._news += 1
        self._assets += 1
        self._keep()
        self._stale = {page.path: None for page in book.pages}
        paths = list(self._stale)
        self.follow()
        return paths

    def _contents_changed(self) -> bool:
        """Whether a page was removed, its title became (un)numbered, or it names another bibliography."""
        try:
            book = load_book(self.book.root)
        except HandbookError as error:
            self._trouble("contents", error)
            return False
        if self.trouble.pop("contents", None):
            self._news += 1
            self._publish()
        return (book.contents, book.bibliography) != (self.book.contents, self.book.bibliography)

    def _trouble(self, kind: str, error: HandbookError) -> None:
        self.trouble[kind] = error
        self._news += 1
        self._publish()

    def _edit(self, pages: list[Page]) -> list[str]:
        fine, shared = [], False
        for page in pages:
            try:
                shared = self._engine.read([page]) or shared
                fine.append(page)
            except HandbookError as error:
                self._failed(page, error)
        self._keep()
        if shared:
            self._engine.prepare()
        self._write(fine)
        if shared:
            self._stale |= {page.path: None for page in self.book.pages if page not in pages}
        return [page.path for page in pages]

    def _write(self, pages: Iterable[Page]) -> None:
        pages = list(pages)
        try:
            written = self._engine.write(pages)
        except HandbookError as error:
            if len(pages) == 1:
                return self._failed(pages[0], error)
            for page in pages:
                self._write([page])
            return None
        for one in written:
            self._show(one)
        return None

    def _show(self, written: Written) -> None:
        old = self.pages.get(written.page.url)
        new = Shown(written.html, written.findings, 0, None, written.resources, written.missing)
        if old and (old.html, old.findings, old.error) == (new.html, new.findings, None):
            return
        self._version += 1
        new.version = self._version
        # A reader who has the page may ask for its pictures at once.
        self.files = self.files | {name: self.book.root / name for name in written.resources}
        self.pages[written.page.url] = new

    def _failed(self, page: Page, error: HandbookError) -> None:
        old = self.pages.get(page.url, Shown(f"<!DOCTYPE html><title>{page.path}</title><body></body>"))
        self._version += 1
        self.pages[page.url] = Shown(old.html, old.findings, self._version, error, old.resources, old.missing)

    def _keep(self) -> None:
        self._engine.keep()
        self.moved = {old: redirect("/" + chapter.page.url) for chapter in self._engine.chapters.values()
                      for old in old_addresses(chapter.page, chapter.source.meta).values()}
        self._publish()

    def _publish(self) -> None:
        """Let readers know. The files that pages show are served from their folders."""
        root = self.book.root
        names = {name for shown in self.pages.values() for name in shown.resources}
        files = {name: root / name for name in {*self.book.styles, *names}}
        files |= {f"site/{name}": SITE / name for name in SERVED}
        with self.news:
            self.files = files
            self.news.notify_all()


def _unsettled(path: Path) -> bool:
    """Whether a save may not be over: it emptied or removed the file first, or has much to write."""
    try:
        return not 0 < path.stat().st_size < LARGE
    except OSError:
        return True
