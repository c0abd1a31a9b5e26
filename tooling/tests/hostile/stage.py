"""The folder in which a command meets a hostile input, and what it may leave there."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from labhandbook.cli import main
from tooling.tests.conftest import command_tree
from tooling.tests.hostile.inputs import KINDS, Case
from tooling.tests.hostile.parts import write

SLOW = 10  # seconds of processor time
BAD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# What a command of ours may write to a runner of GitHub.
RUNNER = re.compile(r"^\s*::(?!(error|warning|notice) )|##\[", re.MULTILINE)
SECRETS = {"TWINE_PASSWORD": "canary-twine", "GITHUB_TOKEN": "canary-github", "WANDB_API_KEY": "canary-wandb"}
# A gate that refuses at once, so that nothing reaches a network.
NOWHERE = "http://127.0.0.1:9"


@dataclass
class Outcome:
    """What came of one run; `problems` are the promises that it broke."""

    title: str
    code: int
    seconds: float
    work: float  # seconds of processor time, with that of children
    problems: list[str]
    said: str = ""


COMMANDS = dict(command_tree(main.handbook))


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
            if self.case.words or parameter.name not in ("form", "shape"):
                continue
            if isinstance(parameter.type, click.Choice):
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
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        for words in (["init", "--quiet", "--initial-branch=main"], ["add", "."],
                      ["commit", "--quiet", "-m", "First"], ["tag", "-a", "v1.0.0", "-m", "1.0.0"]):
            subprocess.run([*git, *words], cwd=folder, check=True)
        _REPOSITORIES[kind] = folder
    return _REPOSITORIES[kind]
