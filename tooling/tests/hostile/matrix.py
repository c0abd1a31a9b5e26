"""Every command against every hostile input, each in a process and a folder of its own, and what came of it.

As a program it prints a table of outcomes: python -m tooling.tests.hostile.matrix [--every N] [--only TEXT] [--report FILE]
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
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from labhandbook import cli
from tooling.tests.hostile.inputs import CALLS, KINDS, SPARED, Case, cases, sample
from tooling.tests.hostile.others import WORDS
from tooling.tests.hostile.parts import write

SLOW, GUARD = 10, 60  # seconds
BAD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# What a runner of GitHub may be told by a command of ours.
RUNNER = re.compile(r"^\s*::(?!(error|warning|notice) )|##\[", re.MULTILINE)
SECRETS = {"TWINE_PASSWORD": "canary-twine", "GITHUB_TOKEN": "canary-github", "WANDB_API_KEY": "canary-wandb"}
# A gate that refuses at once, so that nothing reaches a network.
NOWHERE = "http://127.0.0.1:9"
CAP_DAC = (1, 2)  # what lets root write where permissions say no, from linux/capability.h


@dataclass
class Outcome:
    """What came of one run; `problems` are the promises that it broke."""

    title: str
    code: int
    seconds: float
    work: float  # seconds of processor time, with that of children
    problems: list[str]
    said: str = ""


def words_of(command: click.Command) -> Iterator[tuple[str, str]]:
    """The options and arguments of a command, each with every hostile word that a shell can give."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.is_flag:
            continue
        for name in WORDS:
            yield str(parameter.name), name


def tree(group: click.Group = cli.handbook, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands with the words that call them."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from tree(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(tree())


def word_cases() -> Iterator[Case]:
    """Every command with each option or argument replaced by each hostile word, on an ordinary input."""
    for command, found in COMMANDS.items():
        call = CALLS[command][0]
        for parameter, word in words_of(found):
            if (" ".join(command), parameter) in SPARED:
                continue
            yield Case(command, 0, call.kind, f"{parameter}={word}", _with(found, call.arguments, parameter, WORDS[word]))


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


class Stage:
    """The folder of one run: `outside.txt`, a home, a place for temporary files, and the input in `work/input`."""

    def __init__(self, case: Case, root: Path) -> None:
        self.case, self.root = case, root
        self.input = root / "work" / "input"
        self.summary = root / "summary.md"
        for name in ("home", "tmp", "cache", "work/input"):
            (root / name).mkdir(parents=True)
        (root / "outside.txt").write_text("outside\n", encoding="utf-8")
        kind = KINDS[case.kind]
        if kind.repository:
            shutil.copytree(repository(case.kind), self.input, dirs_exist_ok=True)
        else:
            write(self.input, kind.base)
        write(self.input, kind.inputs.get(case.name, {}))
        self.before = snapshot(root)

    @property
    def arguments(self) -> list[str]:
        """The words of the command line."""
        given = self.case.words or self.case.call.arguments
        words = [*self.case.command, *(word.replace("{}", str(self.input)) for word in given)]
        return [*words, "--format", self.form] if self.form else words

    @property
    def form(self) -> str:
        """One of the forms of report that the command has, in turn."""
        for parameter in COMMANDS[self.case.command].params:
            if parameter.name in ("form", "shape") and isinstance(parameter.type, click.Choice) and not self.case.words:
                choices = [str(choice) for choice in parameter.type.choices]
                return choices[zlib.crc32(self.case.title.encode()) % len(choices)]
        return ""

    def environment(self) -> dict[str, str]:
        """What the command sees: a home of its own, secrets, no network; every second time a runner of GitHub."""
        return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(self.root / "home"),
                "TMPDIR": str(self.root / "tmp"), "XDG_CACHE_HOME": str(self.root / "cache"), "LANG": "C.UTF-8",
                "GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
                "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org", "PYTHONDONTWRITEBYTECODE": "1",
                **{f"{scheme}_PROXY": NOWHERE for scheme in ("HTTP", "HTTPS", "ALL")},
                **{f"{scheme}_proxy": NOWHERE for scheme in ("http", "https", "all")}, "PIP_RETRIES": "0",
                "UV_HTTP_RETRIES": "0", **SECRETS,
                **({"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self.summary)}
                   if zlib.crc32(self.case.title.encode()) % 2 else {})}

    def judge(self, code: int, seconds: float, work: float, output: bytes, errors: bytes) -> Outcome:
        """What was promised and not kept."""
        texts = [each.decode("utf-8", "surrogateescape") for each in (output, errors)]
        summary = self.summary.read_text("utf-8", "surrogateescape") if self.summary.exists() else ""
        problems = []
        if code == -signal.SIGALRM:
            problems.append("hang")
        elif code not in (0, 1, 2):
            problems.append(f"exit code {code}")
        elif work > SLOW:
            problems.append("slow")
        if "Traceback (most recent call last)" in "".join(texts):
            problems.append("traceback")
        if "handbook has a defect" in "".join(texts):
            problems.append("defect")
        if found := next((match for text in (*texts, summary) if (match := BAD.search(text))), None):
            problems.append(f"escape {found[0]!r}")
        if self.environment().get("GITHUB_ACTIONS") and any(RUNNER.search(text) for text in texts):
            problems.append("runner command")
        if any(secret in text for text in (*texts, summary) for secret in SECRETS.values()):
            problems.append("secret")
        if self.form in ("json", "sarif") and code in (0, 1) and not _json(texts[0]):
            problems.append(f"no {self.form}")
        problems += [f"changed {path}" for path in sorted(self.changes())][:3]
        return Outcome(self.case.title, code, round(seconds, 2), round(work, 2), problems,
                       "".join(texts)[-600:].encode("utf-8", "backslashreplace").decode() if problems else "")

    def changes(self) -> set[str]:
        """The paths that the command may not have made or changed."""
        after = snapshot(self.root)
        different = {path for path in self.before.keys() | after.keys() if self.before.get(path) != after.get(path)}
        free = ["cache", "summary.md", *(f"work/input/{name}".rstrip("/") for name in self.case.call.writes)]
        if self.case.words:
            free.append("work")  # a word may name another folder here
        return {path.encode("utf-8", "backslashreplace").decode() for path in different
                if not any(path == name or path.startswith(f"{name}/") for name in free)}


def _json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def snapshot(root: Path) -> dict[str, tuple[Any, ...]]:
    """What lies below a folder: type, size, permissions and time of each file; git's own files are left out."""
    found: dict[str, tuple[Any, ...]] = {}
    stack = [str(root)]
    while stack:
        for entry in os.scandir(stack.pop()):
            status = entry.stat(follow_symlinks=False)
            kind = stat.S_IFMT(status.st_mode)
            name = os.path.relpath(entry.path, root)
            if kind == stat.S_IFDIR:
                found[name] = (kind, stat.S_IMODE(status.st_mode))
                if entry.name != ".git" or "closed" in name:
                    stack.append(entry.path)
            else:
                found[name] = (kind, status.st_size, status.st_mtime_ns, stat.S_IMODE(status.st_mode))
    return found


_REPOSITORIES: dict[str, Path] = {}


def repository(kind: str) -> Path:
    """A folder with the ordinary files of a kind, committed and tagged; made once."""
    if kind not in _REPOSITORIES:
        folder = Path(tempfile.mkdtemp(prefix="hostile-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        write(folder, KINDS[kind].base)
        for words in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "First"],
                      ["tag", "-a", "v1.0.0", "-m", "1.0.0"]):
            subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words], cwd=folder, check=True)
        _REPOSITORIES[kind] = folder
    return _REPOSITORIES[kind]


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
    """The exit code of a child and its processor time; what serves is asked to end once it does, what takes too long is killed."""
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
    if any(ended):
        raise RuntimeError(f"the matrix itself failed after {len(found)} of {len(chosen)} runs")
    return found


def table(outcomes: list[Outcome]) -> str:
    """How many runs there were, how they ended, and which promises were broken how often."""
    codes = Counter(outcome.code for outcome in outcomes)
    broken = Counter(problem.split()[0] for outcome in outcomes for problem in {p.split()[0] for p in outcome.problems})
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
    chosen = [case for case in (word_cases() if given.words else sample() if given.sample else cases()) if re.search(given.only, case.title)][::given.every]
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
