"""Running a package's own tests from an environment, outside the project, with a declared policy for flaky ones."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from labhandbook.release.environment import Environment, tail
from labhandbook.release.machine import suite_env, without_secrets
from labhandbook.release.project import Project
from labhandbook.release.state import contents

NO_TESTS = 5
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ROOT = "{root}"  # In `test-command` it stands for the project's folder.
FOLDERS = ("tests", "test")
# Where pytest keeps its settings; they go along when a folder of tests does.
SETTINGS = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "conftest.py")


@dataclass(frozen=True)
class Suite:
    """How a run of the tests ended. `rerun` names the tests run again, `failures` those that failed at last.

    `code` is the exit code of the last run; counts are of the first run and -1 where pytest didn't report them.
    """

    command: str
    code: int
    seconds: float
    tests: int = -1
    skipped: int = 0
    rerun: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    output: str = ""

    @property
    def fine(self) -> bool:
        """Whether the suite passed in the end."""
        return self.code == 0

    @property
    def empty(self) -> bool:
        """Whether there was no test to run."""
        return self.code == NO_TESTS

    @property
    def words(self) -> str:
        """The result in a few words."""
        count = "tests" if self.tests < 0 else f"{self.tests} test{'s' if self.tests != 1 else ''}"
        if self.empty:
            return "no tests found"
        again = f", {len(self.rerun)} run again" if self.rerun else ""
        return f"{count} {'passed' if self.fine else 'failed'}{again}"


@dataclass(frozen=True)
class Report:
    """What pytest wrote in its report."""

    tests: int
    skipped: int
    failed: tuple[str, ...]


def run_suite(environment: Environment, project: Project, modules: Sequence[str], scratch: Path,
              threads: int | None = None) -> Suite:
    """Run the tests in `scratch`, an empty folder outside the project.

    Where several suites run at a time, `threads` is this one's share of the processors: numerical libraries
    that all take every processor slow each other down many times.

    `test-command` is run as it stands, with `{root}` as the project's folder; without it `pytest --pyargs` on the
    installed modules, and where these hold no tests the project's folder of tests, copied to `scratch`.
    """
    words = [word.replace(ROOT, str(project.root)) for word in project.settings.test_command]
    run = partial(_repeat, environment, reruns=project.settings.reruns, threads=threads)
    suite = run(words or ["pytest", "--pyargs", *modules], scratch)
    folder = next((name for name in FOLDERS if (project.root / name).is_dir()), None)
    if words or not suite.empty or folder is None:
        return suite
    copied = _copy(project.root, folder, scratch)
    return run(["pytest", folder], copied)


def sources(project: Project) -> list[str]:
    """What a suite may read from the project's folder, each path with its sha256."""
    everything = any(ROOT in word for word in project.settings.test_command)
    return contents(project.root, *(() if everything else (*FOLDERS, *SETTINGS)))


def _copy(root: Path, folder: str, scratch: Path) -> Path:
    """The folder of tests and pytest's settings, in a folder of their own."""
    target = scratch / "copied"
    shutil.copytree(root / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in SETTINGS:
        if (root / name).is_file():
            shutil.copy2(root / name, target / name)
    return target


def _repeat(environment: Environment, command: Sequence[str], folder: Path, *, reruns: int,
            threads: int | None) -> Suite:
    """Run a suite, and what failed in it again up to `reruns` times."""
    start = time.monotonic()
    code, output, first = _once(environment, command, folder, threads, again=False)
    report, rerun = first, dict.fromkeys(first.failed if first else ())
    left = reruns if code not in (0, NO_TESTS) else 0
    repeated = False
    while code and left:
        left, repeated = left - 1, True
        code, output, report = _once(environment, command, folder, threads, again=report is not None)
    names = tuple(rerun) or (("the whole suite",) if repeated else ())
    return Suite(shlex.join(command), code, time.monotonic() - start, first.tests if first else -1,
                 first.skipped if first else 0, names if repeated else (),
                 report.failed if report and code else (), tail(without_secrets(output), 40))


def _once(environment: Environment, command: Sequence[str], folder: Path, threads: int | None, *,
          again: bool) -> tuple[int, str, Report | None]:
    """Run the command once, with `again` only what failed last time; its exit code, output and report."""
    report, cache = folder / ".report.xml", folder / ".pytest_cache"
    report.unlink(missing_ok=True)
    options = ["-o", f"cache_dir={cache}", f"--junitxml={report}", *(["--last-failed"] if again else [])]
    env = {**({name: str(threads) for name in THREADS} if threads else {}), **suite_env()}
    env["PYTEST_ADDOPTS"] = shlex.join(options)
    env["PATH"] = os.pathsep.join([str(environment.scripts), env.get("PATH", os.defpath)])
    env["VIRTUAL_ENV"] = str(environment.folder)
    # A pytest from elsewhere on PATH would test another environment.
    program = shutil.which(command[0], path=str(environment.scripts) if command[0] == "pytest" else env["PATH"])
    if program is None:
        return 127, f"{command[0]} isn't installed in the environment", None
    done = subprocess.run([program, *command[1:]], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return done.returncode, done.stdout, _read(report)


def _read(path: Path) -> Report | None:
    """pytest's report, None where there is none to read."""
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return None
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    names = dict.fromkeys("::".join(filter(None, (case.get("classname"), case.get("name")))) for case in failed)
    return Report(len(cases), sum(case.find("skipped") is not None for case in cases), tuple(names))
