"""Who may work in a run: its own process and not a forked child; and a run that is asked for more steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.runs import Run, read_metrics

# A program that opens a run, starts a child by fork, and waits. The child prints a line and outlives its parent.
FORKS = """\
import ctypes, os, sys, time
from pathlib import Path
from labhandbook.runs import Run

with Run.open(Path(sys.argv[1]), {}) as run:
    child = os.fork() if sys.argv[2] == "python" else ctypes.CDLL(None).fork()
    if child == 0:
        print("child", os.getpid(), flush=True)
        time.sleep(600)
        os._exit(0)
    time.sleep(600)
"""


def save(run: Run, step: int, *, best: bool = False) -> None:
    run.save(step, lambda folder: (folder / "state").write_text(f"state {step}"), best=best)


def filled(folder: Path, *steps: int, best: int = 0) -> Path:
    with Run.open(folder, {}) as run:
        for step in steps:
            run.log(step)
            save(run, step, best=step == best)
    return folder / "checkpoints"


def children(words: list[str], folder: Path, how: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen([*words, FORKS, folder, how], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, int(process.stdout.readline().split()[1])


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process and close its pipe."""
    process.kill()
    process.communicate()


def test_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    parent, child = children([sys.executable, "-c"], tmp_path, "python")
    try:
        with pytest.raises(HandbookError, match=f"process {parent.pid} on .* works in this run"):
            Run.open(tmp_path, {})
        parent.kill()
        parent.wait()
        os.kill(child, 0)  # the child is still there
        Run.open(tmp_path, {}).close()
        os.kill(child, signal.SIGTERM)  # and SIGTERM ends it, although it only marks the parent
        for _ in range(3_000):
            if not Path(f"/proc/{child}/stat").exists() or " Z " in Path(f"/proc/{child}/stat").read_text():
                break
            time.sleep(0.01)
        else:
            raise AssertionError("the child goes on after SIGTERM")
    finally:
        subprocess.run(["kill", "-9", str(child)], capture_output=True)
        end(parent)


def test_message_names_the_child_that_keeps_the_lock(tmp_path: Path) -> None:
    # A library that forks by itself, without Python, leaves the lock with its child.
    parent, child = children([sys.executable, "-c"], tmp_path, "library")
    try:
        parent.kill()
        parent.wait()
        with pytest.raises(HandbookError, match=f"process {child}, started by process {parent.pid} .*has ended.*, "
                                                "works in this run"):
            Run.open(tmp_path, {})
    finally:
        os.kill(child, signal.SIGKILL)
        end(parent)
    for _ in range(3_000):
        try:
            Run.open(tmp_path, {}).close()
            return
        except HandbookError:
            time.sleep(0.01)
    raise AssertionError("the lock stays although nobody holds it")


def test_forked_child_writes_nothing(tmp_path: Path) -> None:
    with Run.open(tmp_path, {}) as run:
        run.log(1)
        if (child := os.fork()) == 0:
            refused = 0
            writes: list[Callable[[], object]] = [lambda: run.log(2), lambda: save(run, 2), lambda: run.finish({})]
            for write in writes:
                try:
                    write()
                except HandbookError as error:
                    refused += "forked child" in str(error)
            run.close()
            os._exit(refused)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        with pytest.raises(HandbookError, match=f"process {os.getpid()} on "):
            Run.open(tmp_path, {})
        run.log(2)
        assert [line["step"] for line in run.metrics()] == [1, 2] and run.latest() is None and not run.finished


def test_finished_run_is_prolonged_by_more_steps(tmp_path: Path) -> None:
    def go(steps: int) -> dict[str, Any]:
        with Run.open(tmp_path, {"seed": 0}, steps=steps) as run:
            last = run.latest()
            for step in range(last.step + 1 if last else 1, steps + 1):
                if run.finished:
                    break
                run.log(step)
                save(run, step)
            if not run.finished:
                run.finish({"sum": sum(line["step"] for line in run.metrics())})
            assert run.result is not None
            return run.result

    assert go(4) == {"steps": 4, "sum": 10} == go(4) == go(3)
    assert go(6) == {"steps": 6, "sum": 21}
    assert go(4) == {"steps": 6, "sum": 21}, "the longer run has done that too"
    assert (tmp_path / "result-4.json").exists()
    assert [line["step"] for line in read_metrics(tmp_path)] == [*range(1, 7)]


def test_steps_behind_the_last_checkpoint_are_refused(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    with pytest.raises(HandbookError, match="at step 5 already, beyond the 4 steps wanted"):
        Run.open(tmp_path, {}, steps=4)
    with pytest.raises(HandbookError, match="at step 5 already, beyond the 4 steps of --rounds 2") as raised:
        Run.open(tmp_path, {}, steps=4, asked=("--rounds", 2))
    assert raised.value.todo.startswith("give --rounds 3 or more")
    with Run.open(tmp_path, {}, steps=5) as run:
        run.finish({})
    for path in (tmp_path / "checkpoints").iterdir():
        path.rename(tmp_path / "moved")
    with pytest.raises(HandbookError, match="it has no checkpoint"):
        Run.open(tmp_path, {}, steps=6)
    assert (tmp_path / "result.json").exists() and len(read_metrics(tmp_path)) == 1
    with pytest.raises(HandbookError, match="the number of steps is -3"):
        Run.open(tmp_path, {}, steps=-3)
