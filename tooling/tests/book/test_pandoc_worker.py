"""Workers that die or fail are reported as errors: nothing hangs, nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from labhandbook.book.engine.pandoc_engine import Engine
from labhandbook.book.engine.pandoc_worker import Pool, Worker
from labhandbook.book.load import load_book
from labhandbook.core.errors import HandbookError
from tooling.tests.conftest import make_book, run

FILES = {"index.qmd": "# Home {.unnumbered}\n", "a.qmd": "# A\n\nText.\n", "b.qmd": "# B\n"}
SETUP: dict[str, Any] = {"shortcodes": [], "filters": [], "bibliography": [],
                         "settings": {"template": "$body$", "site": ""}}


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    worker = Worker(tmp_path)
    yield worker
    worker.close()


def within(seconds: float, work: Callable[[], object]) -> object:
    """The result of `work`; a failure when it takes longer, so that a hang is reported as one."""
    threads = ThreadPoolExecutor(1)
    try:
        return threads.submit(work).result(timeout=seconds)
    finally:
        threads.shutdown(wait=False)


def process_of(worker: Worker) -> subprocess.Popen[str]:
    """The process of a worker that has been asked something."""
    assert worker._process
    return worker._process


def kill(worker: Worker) -> None:
    process = process_of(worker)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_worker_answers(worker: Worker) -> None:
    bibliography = {"name": "b.bib", "text": "@book{key, title = {T}}"}
    result = within(10, lambda: worker.call("setup", **{**SETUP, "bibliography": [bibliography]}))
    assert isinstance(result, dict) and result["keys"] == ["key"]


def test_dead_worker_is_an_error(worker: Worker) -> None:
    worker.call("setup", **SETUP)
    kill(worker)
    with pytest.raises(HandbookError, match=r"pandoc failed on a\.qmd"):
        within(10, lambda: worker.call("read", path="a.qmd", text="# A\n"))


def test_worker_that_dies_over_a_page_is_an_error(worker: Worker) -> None:
    worker.call("setup", **SETUP)
    os.kill(process_of(worker).pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(worker.call, "read", path="a.qmd", text="# A\n")
        time.sleep(0.1)
        os.kill(process_of(worker).pid, signal.SIGKILL)
        with pytest.raises(HandbookError, match=r"a\.qmd"):
            answer.result(timeout=300)


def test_script_that_fails_is_an_error_and_the_worker_lives(worker: Worker) -> None:
    worker.call("setup", **SETUP)
    with pytest.raises(HandbookError) as caught:
        within(10, lambda: worker.call("read", path="a.qmd"))
    assert caught.value.where == "a.qmd" and caught.value.why
    assert within(10, lambda: worker.call("read", path="a.qmd", text="# A\n"))


def test_unknown_request_is_an_error(worker: Worker) -> None:
    with pytest.raises(HandbookError):
        within(10, lambda: worker.call("dance"))


def test_much_output_on_standard_error_does_not_stop_it(worker: Worker, tmp_path: Path) -> None:
    noisy = tmp_path / "noisy.lua"
    noisy.write_text("for _ = 1, 5000 do io.stderr:write(('x'):rep(100), '\\n') end\nreturn {}\n", encoding="utf-8")
    assert within(20, lambda: worker.call("setup", **{**SETUP, "filters": [str(noisy)]}))


def test_answers_come_in_the_order_of_the_items(tmp_path: Path) -> None:
    pool = Pool(tmp_path, 3)
    try:
        tasks = list(zip(pool.spread([1.0] * 10), range(10), strict=True))
        assert pool.each(tasks, lambda _, item: item * item) == [number * number for number in range(10)]
    finally:
        pool.close()


def test_tasks_are_spread_by_what_they_cost(tmp_path: Path) -> None:
    pool = Pool(tmp_path, 2)
    try:
        long, *short = pool.spread([3, 1, 1, 1])
        assert set(short) == {worker for worker in pool.workers if worker is not long} and len(short) == 3
    finally:
        pool.close()


def test_page_stays_with_its_worker(tmp_path: Path) -> None:
    with Engine(load_book(make_book(tmp_path, FILES)), workers=2) as engine:
        engine.read(engine.book.pages)
        before = dict(engine._workers)
        assert len(set(before.values())) == 2
        engine.read(reversed(engine.book.pages))
        assert engine._workers == before


def test_engine_ends_its_processes(tmp_path: Path) -> None:
    with Engine(load_book(make_book(tmp_path, FILES)), workers=2) as engine:
        processes = [process_of(worker) for worker in engine._pool.workers]
        assert len(processes) == 2 and all(process.poll() is None for process in processes)
    assert all(process.poll() is not None for process in processes)


def test_engine_with_a_dead_worker_is_an_error(tmp_path: Path) -> None:
    with Engine(load_book(make_book(tmp_path, FILES)), workers=1) as engine:
        kill(engine._pool.workers[0])
        with pytest.raises(HandbookError):
            within(10, lambda: engine.read(engine.book.pages))


def test_filter_that_fails_is_one_message(tmp_path: Path) -> None:
    book = make_book(tmp_path, FILES)
    broken = "return { Para = function() error 'broken filter' end }\n"
    (book / "_extensions/handbook/handbook.lua").write_text(broken, encoding="utf-8")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", timeout=300)
    assert done.returncode == 2 and "broken filter" in done.stderr and "Traceback" not in done.stderr


def test_filter_that_is_no_lua_is_one_message(tmp_path: Path) -> None:
    book = make_book(tmp_path, FILES)
    (book / "_extensions/handbook/shortcodes.lua").write_text("return {{{\n", encoding="utf-8")
    done = run("render", "--book", book, "--engine", "pandoc", "--to", "html", timeout=300)
    assert done.returncode == 2 and "shortcodes.lua" in done.stderr and "Traceback" not in done.stderr
