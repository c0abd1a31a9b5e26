"""Kills wherever a command writes: files are the old ones or the new ones, and the next run is whole."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from labhandbook.cli import main as cli
from labhandbook.core import rule_pages
from labhandbook.core.files import write_atomic
from labhandbook.core.rules import Findings
from labhandbook.core.steps import Ledger, Outcome
from labhandbook.runs import Run
from tooling.tests.conftest import make_book
from tooling.tests.hostile import others, packages
from tooling.tests.hostile.parts import changed, write
from tooling.tests.hostile.stage import repository
from tooling.tests.package.sample_packages import make

pytestmark = pytest.mark.long

WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink",
          "shutil.rmtree", "shutil.copyfile", "tempfile.mkstemp", "tempfile.mkdtemp"}
# The names that a write in progress has: a dot, the file's own name, and what makes it unique.
UNFINISHED = re.compile(r"^\.(.+\.)?\w{6,8}$")


def carry_out(work: Callable[[], object], step: int = 0) -> int | None:
    """Do some work in a process that is killed before its `step`-th write.

    How many writes the whole work took; None where it was killed.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code, count = 1, 0

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal count
            if event in WRITES or (event == "open" and isinstance(arguments[2], int)
                                   and arguments[2] & (os.O_WRONLY | os.O_RDWR) and arguments[0] != os.devnull):
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            silent = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(silent, number)
            sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
            sys.addaudithook(hook)
            work()
            os.write(writing, str(count).encode())
            code = 0
        except BaseException:
            os.write(writing, traceback.format_exc()[-3_000:].encode())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as stream:
        said = stream.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, -signal.SIGKILL), said
    return int(said) if status == 0 else None


def handbook(*words: str | Path) -> Callable[[], object]:
    """A command of the handbook; findings are no failure."""
    def work() -> None:
        assert cli.handbook.main(list(map(str, words)), standalone_mode=False) in (0, 1, None)

    return work


def contents(folder: Path) -> dict[str, bytes]:
    """The files below a folder by name, without git's own and those of a write in progress."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and ".git" not in path.parts and not any(map(UNFINISHED.match, path.parts))}


@dataclass(frozen=True)
class Work:
    """What is interrupted: how the folder is before it, and what is done in it."""

    prepare: Callable[[Path], object]
    make: Callable[[Path], Callable[[], object]]
    changing: str = "$^"  # files whose content differs from run to run


def ledger(folder: Path) -> Callable[[], object]:
    """Write down a step that was done."""
    return lambda: Ledger(folder / "ledger.json").record("build", "a", 1.0,
                                                         Outcome("Built.", Findings(), {"files": {}}))


def save(step: int, place: Path) -> None:
    """A checkpoint that says its step."""
    write_atomic(place / "state", str(step))


def run_of_steps(folder: Path) -> Callable[[], object]:
    """A run that saves three times, goes on where it was, and ends."""
    def work() -> None:
        with Run.open(folder / "run", {"seed": 1}) as run:
            done = run.latest()
            for step in range(done.step + 1 if done else 1, 4):
                run.log(step, loss=1 / step)
                run.save(step, partial(save, step))
            run.finish({"steps": 3})

    return work


def book(folder: Path) -> None:
    """A small book with facts and an earlier render."""
    make_book(folder, {"index.qmd": "# Home {.unnumbered}\n\nNew.\n", "a.qmd": "# A {#sec-a}\n\nText.\n",
                       "chapters/facts.yml": "source: x\nchecked: 2026-01-01\nreview-by: 2030-01-01\nlimit: 5\n",
                       "_variables.yml": "old: 1\n", "_book/index.html": "old",
                       **dict.fromkeys(rule_pages.PAGES.values(), "# Rules\n")}, ["index.qmd", "a.qmd"])


def recipe(folder: Path) -> None:
    """A recipe that lags behind its release."""
    stale = changed(others.RECIPE, "context.version", "0.9.0")
    write(folder, {"recipe.yaml": yaml.safe_dump(stale, sort_keys=False),
                   "demo-1.0.0.tar.gz": others.sdist("demo-1.0.0/demo/__init__.py", b"")})


def package(folder: Path) -> None:
    """A package in its repository."""
    shutil.copytree(repository("package"), folder, dirs_exist_ok=True)


WORKS: dict[str, Work] = {
    "facts": Work(book, lambda folder: handbook("facts", "--book", folder, "--write")),
    "rules": Work(book, lambda folder: handbook("rules", "--book", folder, "--write")),
    "job new": Work(lambda folder: write(folder, {"job.sh": "old\n"}),
                    lambda folder: handbook("job", "new", folder / "job.sh", "--cluster", "lumi", "--force")),
    "job scripts": Work(lambda folder: None, lambda folder: handbook("job", "scripts", folder, "--force")),
    "job new in a new folder": Work(lambda folder: None, lambda folder: handbook(
        "job", "new", folder / "made" / "job.sh", "--cluster", "roihu")),
    "release new": Work(lambda folder: None, lambda folder: handbook(
        "release", "new", folder / "new", "--name", "demo", "--author", "A", "--email", "a@example.org")),
    "release init": Work(package, lambda folder: handbook("release", "init", folder, "--repository", "a/b",
                                                          "--handbook", "a" * 40)),
    "release check": Work(package, lambda folder: handbook("release", "check", folder, "--offline", "--output",
                                                           folder / "report.txt"), changing=r"report\.txt$"),
    "ledger": Work(lambda folder: write(folder, {"ledger.json": packages.LEDGERS["empty-steps"]}), ledger, "ledger"),
    "recipe diff": Work(recipe, lambda folder: handbook("recipe", "diff", folder, folder / "demo-1.0.0.tar.gz",
                                                        "--write")),
    "run": Work(lambda folder: None, run_of_steps, changing=r"\.lock$|metrics\.jsonl$|checkpoints/"),
}


def chosen(count: int) -> list[int]:
    """The writes before which the work is killed: the first, the last ones, and some between them."""
    return sorted({*range(1, min(5, count + 1)), *range(1, count, max(count // 8, 1)),
                   *range(max(count - 3, 1), count + 1)})


def whole(work: Work, folder: Path) -> dict[str, bytes]:
    """The files of a folder but those that differ from run to run, which must be readable; its own name left out."""
    found = contents(folder)
    for name, data in found.items():
        if re.search(work.changing, name) and name.endswith(".json"):
            json.loads(data)
    return {name: data.replace(folder.name.encode(), b"FOLDER") for name, data in found.items()
            if not re.search(work.changing, name)}


def interrupted(name: str, tmp_path: Path, steps: Callable[[int], Iterable[int]]) -> None:
    """Kill a work before some of its writes, and each time look at its files and do it again."""
    work = WORKS[name]
    before, after = tmp_path / "step-before", tmp_path / "step-after"
    for folder in (before, after):
        folder.mkdir()
        work.prepare(folder)
    count = carry_out(work.make(after))
    assert count and count >= 2
    old, new = whole(work, before), whole(work, after)
    for step in steps(count):
        place = tmp_path / f"step-{step}"
        place.mkdir()
        work.prepare(place)
        carry_out(work.make(place), step)
        for file, data in whole(work, place).items():
            assert file not in new or data in (old.get(file), new[file]), (step, file, data[:80])
        assert carry_out(work.make(place)) is not None
        assert whole(work, place) == new, step
        shutil.rmtree(place)


@pytest.mark.parametrize("name", WORKS)
def test_a_kill_leaves_the_old_file_or_the_new_one(name: str, tmp_path: Path) -> None:
    interrupted(name, tmp_path, chosen)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKS)
def test_a_kill_at_any_write_leaves_the_old_file_or_the_new_one(name: str, tmp_path: Path) -> None:
    interrupted(name, tmp_path, lambda count: range(1, count + 1))


@pytest.mark.parametrize("share", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_a_kill_during_a_render_leaves_a_whole_book(share: int, tmp_path: Path) -> None:
    work = Work(book, lambda folder: handbook("render", "--book", folder, "--engine", "pandoc", "--to", "html"))
    clean = tmp_path / "clean"
    clean.mkdir()
    book(clean)
    count = carry_out(work.make(clean))
    assert count
    names = {path.name for path in (clean / "_book").iterdir()}
    # The last writes put the new book in the place of the old one.
    for step in sorted({*range(2, count, max(count // share, 1)), *range(count - share, count + 1, 2)}):
        place = tmp_path / str(step)
        place.mkdir()
        book(place)
        carry_out(work.make(place), step)
        there = place / "_book"
        assert there.is_dir(), step
        assert {path.name for path in there.iterdir()} in ({"index.html"}, names), step
        assert ((there / "index.html").read_bytes() == b"old") == (len(list(there.iterdir())) == 1), step
        # An empty folder may be one that another process has just made, so only an old one is removed.
        for path in place.iterdir():
            if UNFINISHED.match(path.name):
                os.utime(path, (0, 0))
        assert carry_out(work.make(place)) is not None
        assert {path.name for path in there.iterdir()} == names, step
        assert [path.name for path in place.iterdir() if UNFINISHED.match(path.name)] == [], step
        shutil.rmtree(place)


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("command", ["build", "inspect", "check"])
def test_a_stopped_release_leaves_no_temporary_file(tmp_path: Path, command: str, way: signal.Signals) -> None:
    """It is stopped at several moments, wherever it is then; what it started ends with it."""
    package, temporary = make(tmp_path / "demo", "hatchling"), tmp_path / "temporary"
    temporary.mkdir()
    program = [str(Path(sys.executable).with_name("handbook")), "release", command, str(package)]
    for moment in (0.6, 1.2, 2.0, 4.0):
        with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "TMPDIR": str(temporary)}) as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(moment)
            process.send_signal(way)
            said = process.communicate(timeout=600)[1]
        end = time.monotonic() + 30
        while (left := [*temporary.iterdir()]) and time.monotonic() < end:
            time.sleep(0.05)  # a watcher removes it when the process is gone
        assert not left and "Traceback" not in said, said
