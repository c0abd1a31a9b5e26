"""Worker processes of the embedded engine: `pandoc lua worker.lua`, which speaks JSON lines.

A request that keeps pandoc busy for too long ends its process. A new one then takes its place and reads again what
the old one had read, so that one page can't take the others with it.
"""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import close, ended, processor_seconds, start, stop
from labhandbook.core.wording import kit

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
            todo="run `make`, or " + kit("render"),
            section="sec-contributing",
        ) from None
    return str(pypandoc.get_pandoc_path())


class Worker:
    """One pandoc process at a time. Calls are answered in order; a lock keeps threads apart.

    `halt` is an event that ends a call early.
    """

    def __init__(self, root: Path, halt: threading.Event | None = None) -> None:
        self._root, self._halt = root, halt or threading.Event()
        self._lock = threading.Lock()
        # The requests that a new process must get again, by operation and page.
        self._known: dict[tuple[str, str], dict[str, Any]] = {}
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._process = start([pandoc_program(), "lua", LUA / "worker.lua"], cwd=self._root, errors="strict",
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
            line = self._answer(json.dumps(given) + "\n", page, seconds or _usual(given))
            if not line.endswith("\n"):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
                line = json.dumps({"failed": "".join(self._errors) or "it ended too soon"})
            answer: dict[str, Any] = json.loads(line)
            if "failed" in answer:
                raise HandbookError(f"pandoc failed on {page or op}", where=page, why=str(answer["failed"]).strip(),
                                    todo="report it with the page that caused it", section="sec-contributing")
            if op in ("setup", "read", "share"):
                self._known[op, page] = given
        return answer

    def _answer(self, line: str, page: str, seconds: float) -> str:
        """The line that answers a line, or "" when the process has died."""
        process = self._process
        assert process.stdin and process.stdout
        try:
            process.stdin.write(line)
            process.stdin.flush()
            if reason := self._wait(process, seconds):
                stop(process)
                close(process.stdin, process.stdout)
                if not self._closed and not self._halt.is_set():
                    self._begin()
                    self._repeat()
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

    def _repeat(self) -> None:
        """Send a new process what the old one had read."""
        for given in self._known.values():
            process = self._process
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps(given) + "\n")
            process.stdin.flush()
            if self._wait(process, _usual(given)):
                stop(process)
                return
            process.stdout.readline()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process: it goes by itself when its input ends, unless it is busy."""
        self._closed = True
        process = self._process
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

    def __init__(self, root: Path, size: int, halt: threading.Event | None = None) -> None:
        self.workers = [Worker(root, halt) for _ in range(size)]
        self._threads = ThreadPoolExecutor(size)

    def everyone(self, op: str, **request: Any) -> dict[str, Any]:
        """Send one request to all workers; the first one's answer."""
        def work(worker: Worker) -> dict[str, Any]:
            return worker.call(op, **request)

        return list(self._threads.map(work, self.workers))[0]  # noqa: RUF015 - all of them must have answered

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
