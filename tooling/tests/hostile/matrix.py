"""Every command against every hostile input, each in a process and a folder of its own, and what came of it.

As a program it prints a table of outcomes:
python -m tooling.tests.hostile.matrix [--sample | --words] [--every N] [--only TEXT] [--report FILE]
"""

from __future__ import annotations

import argparse
import atexit
import ctypes
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from labhandbook.cli import main as cli
from tooling.tests.hostile.inputs import CALLS, KINDS, SPARED, Case, cases, sample
from tooling.tests.hostile.others import WORDS
from tooling.tests.hostile.stage import COMMANDS, Outcome, Stage, repository

GUARD = 60  # seconds
CAP_DAC = (1, 2)  # what lets root write where permissions say no, from linux/capability.h


def words_of(command: click.Command) -> Iterator[tuple[str, str]]:
    """The options and arguments of a command, each with every hostile word that a shell can give."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.is_flag:
            continue
        for name in WORDS:
            yield str(parameter.name), name


def word_cases() -> Iterator[Case]:
    """Every command with each option or argument replaced by each hostile word, on an ordinary input."""
    for command, found in COMMANDS.items():
        call = CALLS[command][0]
        for parameter, word in words_of(found):
            if (" ".join(command), parameter) in SPARED:
                continue
            # These tests may run as root: a fault must not be able to take a device from the machine.
            if WORDS[word].startswith("/dev/") and (parameter == "output" or call.writes):
                continue
            arguments = _with(found, call.arguments, parameter, WORDS[word])
            yield Case(command, 0, call.kind, f"{parameter}={word}", arguments)


def _with(command: click.Command, arguments: tuple[str, ...], parameter: str, word: str) -> tuple[str, ...]:
    """The arguments of a call, one of them replaced."""
    found = next(each for each in command.params if each.name == parameter)
    if isinstance(found, click.Option):
        option = found.opts[-1]
        kept = [each for place, each in enumerate(arguments)
                if each != option and (place == 0 or arguments[place - 1] != option)]
        return (*kept, f"{option}={word}" if option.startswith("--") else option)
    kept = list(arguments)
    if kept and not kept[0].startswith("-"):
        kept[0] = word
        return tuple(kept) if not word.startswith("-") or word == "-" else (*kept[1:], "--", word)
    return (*kept, "--", word)


def carry_out(case: Case, root: Path) -> Outcome:
    """Run one case in a process of its own below `root`, which is emptied afterwards."""
    folder = Path(tempfile.mkdtemp(dir=root, prefix="case-"))
    try:
        stage = Stage(case, folder)
        started = time.monotonic()
        with (folder.parent / f"{folder.name}.out").open("w+b") as output, \
             (folder.parent / f"{folder.name}.err").open("w+b") as errors:
            pid = os.fork()
            if pid == 0:
                _child(stage, output.fileno(), errors.fileno())
            code, work = _wait(pid, stage, errors.name)
            output.seek(0)
            errors.seek(0)
            outcome = stage.judge(code, time.monotonic() - started, work, output.read(), errors.read())
            Path(output.name).unlink()
            Path(errors.name).unlink()
        return outcome
    finally:
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(pid: int, stage: Stage, errors: str) -> tuple[int, float]:
    """The exit code of a child and its processor time; what serves is asked to end, what takes too long is killed."""
    deadline, asked, pause = time.monotonic() + GUARD, False, 0.002
    while time.monotonic() < deadline:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        if stage.case.call.serves and not asked and b"http://" in Path(errors).read_bytes():
            os.kill(pid, signal.SIGINT)
            asked = True
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    os.killpg(pid, signal.SIGKILL)
    used = os.wait4(pid, 0)[2]
    return -signal.SIGALRM, used.ru_utime + used.ru_stime


def _child(stage: Stage, output: int, errors: int) -> None:
    """Become the command: its folder, its variables, its streams, and no more rights than any user has."""
    code: Any = 1
    try:
        os.setpgid(0, 0)
        atexit._clear()
        environment = stage.environment()
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None
        os.chdir(stage.root / "work")
        null = os.open(os.devnull, os.O_RDONLY)
        for source, number in ((null, 0), (output, 1), (errors, 2)):
            os.dup2(source, number)
        sys.stdin, sys.stdout, sys.stderr = (open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
                                             for number, mode in enumerate("rww"))
        for capability in CAP_DAC if os.geteuid() == 0 else ():
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP, for what is started
        if os.geteuid() == 0:
            _drop(CAP_DAC)
        sys.argv = ["handbook", *stage.arguments]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        cli.main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc(file=sys.__stderr__ if sys.stderr is None else sys.stderr)
    finally:
        try:
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        except BaseException:
            code = 120
        os._exit(code)


def _drop(capabilities: Iterable[int]) -> None:
    """Give up capabilities in this process (capset(2))."""
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    for capability in capabilities:
        for part in range(3):
            sets[part] &= ~(1 << capability)
    libc.capset(header, sets)


def run_all(chosen: list[Case], jobs: int = 2) -> list[Outcome]:
    """Run cases, dealt out to processes that do one after the other."""
    for kind in KINDS:
        if KINDS[kind].repository:
            repository(kind)
    root = Path(tempfile.mkdtemp(prefix="hostile-"))
    pids = []
    for job in range(jobs):
        pid = os.fork()
        if pid == 0:
            try:
                with (root / f"outcomes-{job}.jsonl").open("w", encoding="utf-8") as stream:
                    for case in chosen[job::jobs]:
                        stream.write(json.dumps(asdict(carry_out(case, root))) + "\n")
                        stream.flush()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        pids.append(pid)
    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    found = [Outcome(**json.loads(line)) for job in range(jobs)
             for line in (root / f"outcomes-{job}.jsonl").read_text(encoding="utf-8").splitlines()]
    shutil.rmtree(root, ignore_errors=True)
    if any(ended) or len(found) < len(chosen):
        print(f"the matrix itself failed after {len(found)} of {len(chosen)} runs")
    return found


def table(outcomes: list[Outcome]) -> str:
    """How many runs there were, how they ended, and which promises were broken how often."""
    codes = Counter(outcome.code for outcome in outcomes)
    broken = Counter(kind for outcome in outcomes for kind in {problem.split()[0] for problem in outcome.problems})
    false = sum(outcome.code == 1 and "traceback" in outcome.problems for outcome in outcomes)
    slowest = sorted(outcomes, key=lambda outcome: -outcome.work)[:5]
    return "\n".join([f"{len(outcomes)} runs", f"  exit codes: {dict(sorted(codes.items()))}",
                      f"  broken: {dict(broken) or 'nothing'}", f"  exit 1 by a traceback: {false}",
                      "  most processor time:",
                      *(f"  {outcome.work:6.2f} s  {outcome.title}" for outcome in slowest)])


def main() -> None:
    """Run the matrix and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    every = word_cases() if given.words else sample() if given.sample else cases()
    chosen = [case for case in every if re.search(given.only, case.title)][::given.every]
    outcomes = run_all(chosen, given.jobs)
    for outcome in outcomes:
        if outcome.problems:
            print(f"{outcome.title}: exit {outcome.code}, {outcome.seconds} s: {'; '.join(outcome.problems)}".encode(
                "utf-8", "backslashreplace").decode())
    print(table(outcomes))
    if given.report:
        given.report.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
