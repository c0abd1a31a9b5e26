"""Worker processes of the embedded engine: `pandoc lua worker.lua`, spoken to in JSON lines."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from labhandbook.errors import HandbookError

LUA = Path(__file__).with_name("lua")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


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
            todo="run `make`, or `pip install 'labhandbook[render]'`",
            section="sec-contributing",
        ) from None
    return str(pypandoc.get_pandoc_path())


class Worker:
    """One pandoc process. Calls are answered in order; a lock keeps threads apart."""

    def __init__(self, root: Path) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [pandoc_program(), "lua", str(LUA / "worker.lua")], cwd=root,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for the command, which then closes its workers
        )
        # pandoc's own warnings are not for readers, but a full pipe would stop it.
        self._errors: list[str] = []
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._errors = [*self._errors[-20:], line]

    def call(self, op: str, **request: Any) -> dict[str, Any]:
        """Send one request and return the answer.

        Raises HandbookError when pandoc dies or its script fails.
        """
        assert self._process.stdin and self._process.stdout
        given = {key: value for key, value in request.items() if value is not None}
        with self._lock:
            try:
                self._process.stdin.write(json.dumps({"op": op, **given}) + "\n")
                self._process.stdin.flush()
                line = self._process.stdout.readline()
            except (OSError, ValueError):
                line = ""
        if not line.endswith("\n"):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            line = json.dumps({"failed": "".join(self._errors) or "it died"})
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise HandbookError(
                f"pandoc failed on {request.get('path', op)}", where=str(request.get("path", "")),
                why=str(answer["failed"]).strip(),
                todo="report it with the page that caused it", section="sec-contributing",
            )
        return answer

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process: it goes by itself when its input ends, unless it is busy."""
        with contextlib.suppress(OSError, ValueError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Pool:
    """Several workers; a page always goes to the same one, which keeps its document."""

    def __init__(self, root: Path, size: int) -> None:
        self.workers = [Worker(root) for _ in range(size)]
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
