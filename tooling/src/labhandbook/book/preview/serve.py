"""`handbook preview`: the book in a browser, as new as its files."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import traceback
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from labhandbook.book.model import Book
from labhandbook.book.preview.file_watcher import TICK, Watcher
from labhandbook.book.preview.live_book import LiveBook
from labhandbook.book.preview.page_server import Server
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Findings
from labhandbook.core.terminal import Progress, echo, paint, show_error, show_findings


def serve(book: Book, port: int, *, browse: bool) -> None:
    """Serve the book on this machine until Ctrl-C or SIGTERM, showing every edit at once.

    Nothing is written into the book. Raises HandbookError when the port is taken or the book can't be read.
    """
    with stopping() as stop, contextlib.ExitStack() as stack:
        server = Server(port)
        stack.callback(server.server_close)
        progress = Progress()
        progress.stage("reading")
        since = time.time_ns()
        try:
            live = stack.enter_context(LiveBook(book, stop))
        except HandbookError:
            if not stop.is_set():
                raise
            echo("Stopped.", err=True)
            return
        progress.end()
        server.live = live
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        reporter = Reporter(live)
        reporter.show([])
        progress.last(True, f"{len(live.pages)} pages at {server.address} (edits show at once; Ctrl-C ends)")
        if browse:
            webbrowser.open(server.address)
        keep_up(live, stop, reporter, since)
    echo("Stopped.", err=True)


@contextlib.contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set; a second Ctrl-C interrupts as usual."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def on_signal(number: int, _: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)] or signal.SIG_DFL)

    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def keep_up(live: LiveBook, stop: threading.Event, reporter: Reporter, since: int) -> None:
    """Take in every change until `stop` is set."""
    watcher = Watcher(live.book.root, stop)
    watcher.remember(live.inputs().files, since)
    while not stop.is_set():
        for named in watcher.wake(lambda: live.inputs().files):
            if stop.is_set():
                return
            more = True
            while more and not stop.is_set():
                try:
                    more = step(live, watcher, named, reporter)
                except Exception as error:  # a defect of the preview must not remove the pages
                    if stop.is_set():
                        return
                    traceback.print_exc()
                    live.broken(error)
                    more = False
                named = set()


def step(live: LiveBook, watcher: Watcher, named: set[Path], reporter: Reporter) -> bool:
    """Take in what changed, or else some of what must follow it; whether more is to be done."""
    start, since = time.monotonic(), time.time_ns() - TICK
    inputs = live.inputs()
    if changed := watcher.changed(inputs.files, named):
        written = live.update(changed, inputs)
        # A file that a page newly wants may have come while the page was made without it.
        watcher.remember(live.inputs().files, since)
        reporter.show(written, time.monotonic() - start)
        return True
    more = live.follow()
    reporter.show([])
    return more


class Reporter:
    """Says on the terminal what was written and what is wrong, each mistake once."""

    def __init__(self, live: LiveBook) -> None:
        self.live = live
        self._errors: list[HandbookError] = []
        self._findings: set[Finding] = set()

    def show(self, written: list[str], seconds: float = 0) -> None:
        """Name the pages that were written, then what is wrong that was not before, or that all is correct again."""
        errors = list(self.live.trouble.values())
        errors += [shown.error for shown in self.live.pages.values() if shown.error]
        findings = {finding for shown in self.live.pages.values() for finding in shown.findings}
        if written:
            name = written[0] if len(written) == 1 else f"{len(written)} pages"
            echo(f"{paint('✓', 'green')} {time.strftime('%H:%M:%S')} {name} in {seconds:.2f} s", err=True)
        for error in errors:
            if not any(known is error for known in self._errors):
                show_error(error)
        show_findings(Findings.of(findings - self._findings))
        if (self._errors or self._findings) and not errors and not findings:
            echo(f"{paint('✓', 'green')} everything is correct again", err=True)
        self._errors, self._findings = errors, findings
