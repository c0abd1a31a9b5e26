"""Worker processes of the embedded engine: `pandoc lua worker.lua`, which speaks JSON lines.

A request that keeps pandoc busy for too long ends its process. A new one then takes its place and reads again what
is asked of it, so that one page can't take the others with it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import select
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from labhandbook.book.change_days import EPOCH
from labhandbook.book.engine.kept_answers import KeptAnswers, digest
from labhandbook.core.errors import HandbookError
from labhandbook.core.kit_extras import kit_with
from labhandbook.core.process import close, ended, environment, processor_seconds, start, stop

LUA = Path(__file__).with_name("lua")
# Seconds of processor time for one request; and for reading a page, with as much again for each of its bytes. pandoc
# reads a megabyte of plain text in a few seconds.
LONGEST = 60.0
READING, READING_BYTE = 5.0, 60e-6
# Seconds in which a process may wait for something outside it, such as a pipe that nobody writes to.
WAITING = 8.0
# Seconds by the clock, where the system doesn't say how much processor time a process has used.
BY_CLOCK = 600.0
LOOK = 0.2
# How Haskell's run-time system tidies pandoc's memory. In place, a first render of the handbook's site takes 253 MB
# rather than 333 MB, for a fifth more processor time. After each 64 MB, an edit takes a fifth less of it, a
# check a seventh.
COMPACT, QUICK = "-c", "-A64m"
# What a new process must be asked again, and what is answered alike each time.
REMEMBERED = ("setup", "read", "share")
KEPT = ("setup", "read", "html", "title", "survey", "markdown")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class TooLong(HandbookError):
    """A request kept pandoc busy for too long; its process was ended and replaced."""


def pandoc_program() -> str:
    """Where `pypandoc_binary` keeps its pandoc.

    Raises HandbookError when the extra `render` is not installed.
    """
    try:
        import pypandoc
    except ImportError:
        raise HandbookError(
            "the embedded engine isn't installed",
            why="it renders with the pandoc of the package pypandoc_binary",
            todo="run `make`, or " + kit_with("render"),
            section="sec-contributing",
        ) from None
    return str(pypandoc.get_pandoc_path())


@functools.cache
def program() -> str:
    """What stands for pandoc and the engine's own Lua files."""
    status = Path(pandoc_program()).stat()
    return digest(status.st_size, status.st_mtime_ns, *(path.read_text(encoding="utf-8")
                                                        for path in sorted(LUA.glob("*.lua"))))


class Worker:
    """One pandoc process at a time. Calls are answered in order; a lock keeps threads apart.

    `halt` is an event that ends a call early. What is in `kept` needs no process: it begins when there is something
    to ask, and gets the requests that it has missed.
    An EPUB says it was `made_at` that time, in seconds since 1970. `memory` is COMPACT or QUICK.
    """

    def __init__(self, root: Path, halt: threading.Event | None = None, kept: KeptAnswers | None = None, *,
                 made_at: int | None = None, memory: str = COMPACT) -> None:
        self._root, self._halt, self._kept, self._memory = root, halt or threading.Event(), kept, memory
        self._environment = environment({EPOCH: str(made_at)} if made_at is not None else {})
        self._lock = threading.Lock()
        # The requests that a new process must get, by operation and page; those that this one has not got; and what
        # stands for the ones that were answered, with the files that they used.
        self._known: dict[tuple[str, str], dict[str, Any]] = {}
        self._unsent: dict[tuple[str, str], dict[str, Any]] = {}
        self._kept_as: dict[tuple[str, str], str | None] = {}
        # The files that were opened for all answers, and whether something was used that is another each time.
        self.opened: dict[str, None] = {}
        self.fleeting = False
        self._closed = False
        self._process: subprocess.Popen[str] | None = None

    def _begin(self) -> None:
        self._process = start([pandoc_program(), "+RTS", self._memory, "-RTS", "lua", LUA / "worker.lua"],
                              cwd=self._root, env=self._environment, errors="strict",
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # pandoc's own warnings are not for readers, but a full pipe would stop it.
        self._errors: list[str] = []
        threading.Thread(target=self._drain, args=(self._process,), daemon=True).start()

    def _drain(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr
        with process.stderr, contextlib.suppress(OSError, ValueError):
            for line in process.stderr:
                self._errors = [*self._errors[-20:], line]

    def call(self, op: str, seconds: float = 0, /, **request: Any) -> dict[str, Any]:
        """Send one request and return the answer.

        Raises TooLong when it takes more than `seconds` of processor time (0: what is usual for `op`), and
        HandbookError when pandoc dies or its script fails.
        """
        given = {"op": op} | {key: value for key, value in request.items() if value is not None}
        page = str(request.get("path", ""))
        with self._lock:
            key, labels, found = self._key(op, page, given), self._labels, None
            if self._kept and key:
                found = self._kept.find(f"{op} {page}", key, labels)
            if op in REMEMBERED and (found or op == "share"):
                self._known[op, page] = self._unsent[op, page] = given
            if found:
                answer, self._kept_as[op, page] = found
                return dict(answer)
            if op == "share":
                return {}
            needed = {"setup": [], "read": [("setup", "")]}.get(op, [("setup", ""), ("share", ""), ("read", page)])
            for before in needed:
                if missed := self._unsent.pop(before, None):
                    self._ask(missed, before[1], _usual(missed))
            self._unsent.pop((op, page), None)
            since = time.time()  # by the clock that files have
            answer = self._ask(given, page, seconds or _usual(given))
            if op in REMEMBERED:
                self._known[op, page] = given
            used = answer.pop("used")
            self.opened.update(dict.fromkeys(used["files"]))
            self.fleeting = self.fleeting or used["fleeting"]
            self._kept_as[op, page] = None if not self._kept or not key or used["fleeting"] else self._kept.keep(
                f"{op} {page}", key, answer, since=since, files=used["files"],
                labels={name: labels.get(name) for name in used["labels"]})
        return answer

    @property
    def _labels(self) -> dict[str, Any]:
        labels: dict[str, Any] = self._known.get(("share", ""), {}).get("labels", {})
        return labels

    def _key(self, op: str, page: str, given: dict[str, Any]) -> str | None:
        """What an answer is kept under; None for one that hangs on more than can be said."""
        if op == "setup":
            return digest(program(), given)
        before = self._kept_as.get(("setup", "") if op == "read" else ("read", page))
        pages = None if op == "read" else self._known.get(("share", ""), {}).get("pages")
        return digest(before, pages, given) if before and op in KEPT else None

    def wake(self) -> None:
        """Begin the process, so that the next call doesn't wait for it."""
        with self._lock, contextlib.suppress(HandbookError):
            if not self._closed and (missed := self._unsent.pop(("setup", ""), None)):
                self._ask(missed, "", _usual(missed))

    def _ask(self, given: dict[str, Any], page: str, seconds: float) -> dict[str, Any]:
        line = self._answer(json.dumps(given) + "\n", page, seconds)
        if not line.endswith("\n"):
            if self._process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
            line = json.dumps({"failed": "".join(self._errors) or "it ended too soon"})
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise HandbookError(f"pandoc failed on {page or given['op']}", where=page,
                                why=str(answer["failed"]).strip(),
                                todo="report it with the page that caused it", section="sec-contributing")
        return answer

    def _answer(self, line: str, page: str, seconds: float) -> str:
        """The line that answers a line, or "" when the process has died."""
        if self._process is None:
            self._begin()
        process = self._process
        assert process and process.stdin and process.stdout
        try:
            process.stdin.write(line)
            process.stdin.flush()
            if reason := self._wait(process, seconds):
                stop(process)
                close(process.stdin, process.stdout)
                self._process, self._unsent = None, dict(self._known)
                raise TooLong(f"{page or 'the book'} {reason}", where=f"{page}:1" if page else "",
                              why="pandoc needs very long for some text, such as thousands of opening brackets",
                              todo="shorten that place, or put it into a code block",
                              section="sec-contributing-check")
            return process.stdout.readline()
        except (OSError, ValueError):
            return ""

    def _wait(self, process: subprocess.Popen[str], seconds: float) -> str:
        """Wait for an answer; why not to wait any longer, or "" when there is something to read."""
        assert process.stdout
        begun = since = time.monotonic()
        first = last = None
        while not select.select([process.stdout], [], [], LOOK)[0]:
            now, used = time.monotonic(), processor_seconds(process.pid)
            if self._halt.is_set() or self._closed:
                return "was not finished, because the command was stopped"
            if used is None:
                if now - begun > BY_CLOCK:
                    return f"keeps pandoc busy for more than {BY_CLOCK:.0f} s"
                continue
            first = used[0] if first is None else first
            if used[0] - first > seconds:
                return f"keeps pandoc busy for more than {seconds:.0f} s of processor time"
            if used[0] != last or used[1] != "S":
                last, since = used[0], now
            elif now - since > max(WAITING, seconds / 8):
                return f"makes pandoc wait for {now - since:.0f} s for something outside it"
        return ""

    @property
    def alive(self) -> bool:
        """Whether the process still runs, or can begin."""
        return self._process is None or self._process.poll() is None

    def close(self) -> None:
        """End the process: it goes by itself when its input ends, unless it is busy."""
        self._closed = True
        process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError, ValueError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            stop(process)
        ended(process)
        with self._lock:
            close(process.stdout)


def _usual(request: dict[str, Any]) -> float:
    """The seconds of processor time that a request may take."""
    return READING + READING_BYTE * len(request.get("text", "")) if request["op"] == "read" else LONGEST


class Pool:
    """Several workers; a page always goes to the same one, which keeps its document."""

    def __init__(self, root: Path, size: int, halt: threading.Event | None = None,
                 kept: KeptAnswers | None = None, *, memory: str = COMPACT) -> None:
        self.workers = [Worker(root, halt, kept, memory=memory) for _ in range(size)]
        self._threads = ThreadPoolExecutor(size)

    def everyone(self, op: str, **request: Any) -> dict[str, Any]:
        """Send one request to all workers; the first one's answer."""
        def work(worker: Worker) -> dict[str, Any]:
            return worker.call(op, **request)

        return list(self._threads.map(work, self.workers))[0]  # noqa: RUF015 - all of them must have answered

    def wake(self) -> None:
        """Begin the processes, beside what the caller does."""
        for worker in self.workers:
            self._threads.submit(worker.wake)

    def spread(self, costs: Sequence[float]) -> list[Worker]:
        """A worker for each task, by what the tasks cost, so that all workers have about as much to do."""
        load, chosen = [0.0] * len(self.workers), [self.workers[0]] * len(costs)
        for place in sorted(range(len(costs)), key=lambda place: -costs[place]):
            least = load.index(min(load))
            load[least] += costs[place]
            chosen[place] = self.workers[least]
        return chosen

    def each(self, tasks: Iterable[tuple[Worker, Item]], work: Callable[[Worker, Item], Answer]) -> list[Answer]:
        """Do `work` for every item by its worker, all workers at once; answers in order."""
        tasks = list(tasks)

        def share(worker: Worker) -> dict[int, Answer]:
            return {place: work(worker, item) for place, (its, item) in enumerate(tasks) if its is worker}

        done: dict[int, Answer] = {}
        for answers in self._threads.map(share, self.workers):
            done |= answers
        return [done[place] for place in range(len(tasks))]

    def close(self) -> None:
        """End all workers."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self.workers:
            worker.close()
