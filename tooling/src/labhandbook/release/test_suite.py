"""Running a package's own tests from an environment, outside the project, with a declared policy for flaky ones."""

from __future__ import annotations

import configparser
import contextlib
import itertools
import os
import re
import shlex
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from labhandbook.core import process
from labhandbook.package.environments import Environment, tail
from labhandbook.package.machine import suite_env, without_secrets
from labhandbook.package.project import PYPROJECT, Project
from labhandbook.release.clean_sources import tree_files
from labhandbook.release.release_folder import contents

NO_TESTS = 5
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ROOT = "{root}"  # In `test-command` it means the project's folder.
FOLDERS = ("tests", "test")
LARGE = 20_000_000  # bytes of one file
# Files with pytest's settings; they are copied with a folder of tests.
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
        if self.failures and not self.fine and self.tests >= 0:
            count = f"{len(self.failures)} of {count}"
        if self.empty:
            return "no tests found"
        again = f", {len(self.rerun)} run again" if self.rerun else ""
        return f"{count} {'passed' if self.fine else 'failed'}{again}"


@dataclass(frozen=True)
class Report:
    """What pytest wrote in its report; `why` is the end of its output on the first tests that failed."""

    tests: int
    skipped: int
    failed: tuple[str, ...]
    why: str = ""


def run_suite(environment: Environment, project: Project, modules: Sequence[str], scratch: Path,
              threads: int | None = None) -> Suite:
    """Run the tests in `scratch`, an empty folder outside the project.

    Where several suites run at a time, `threads` is this one's share of the processors: numerical libraries
    that all take every processor slow each other down many times.

    `test-command` is run as it is written, with `{root}` as the project's folder; without it `pytest --pyargs` on the
    installed modules, and where these hold no tests those of the project's folder (see `lay_out`).
    """
    run = partial(_repeat, environment, reruns=project.settings.reruns, threads=threads,
                  names=project.settings.pass_env)
    if words := project.settings.test_command:
        suite = run([word.replace(ROOT, str(project.root)) for word in words], scratch)
        return replace(suite, command=shlex.join(words))
    folders = folders_of_tests(project)
    if not folders or tests_inside(environment.distribution(project.name)):
        suite = run(["pytest", "--pyargs", *modules], scratch)
        if not suite.empty or not folders:
            return suite
    command = lay_out(project, folders, modules, environment.site, scratch / "copied")
    return run(command, scratch / "copied")


def tests_inside(package: metadata.Distribution) -> bool:
    """Whether an installed package holds files that pytest collects as tests."""
    return any(re.search(r"(^|/)(test_[^/]*|[^/]*_test)\.py$", str(file)) for file in package.files or ())


def lay_out(project: Project, folders: Sequence[str], modules: Sequence[str], site: Path, target: Path) -> list[str]:
    """Copy folders of tests and pytest's settings out of the project into `target`; the command to run there.

    Tests that belong to a package and were left out of the wheel are copied into the installed package, in the
    `site` folder of the environment, where their imports find them; no file of the wheel is replaced.
    """
    target.mkdir()
    for name in beside(project, modules):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project.root / name, target / name)
    words, settings = [], pytest_settings(project)[0]
    for folder in folders:
        parts = PurePosixPath(folder).parts
        at = next((at for at in range(len(parts) - 1) if parts[at] in modules), None)
        place = target / folder if at is None else site.joinpath(*parts[at:])
        shutil.copytree(project.root / folder, place, ignore=shutil.ignore_patterns("__pycache__"),
                        copy_function=_copy_new, dirs_exist_ok=True)
        if at is None:
            words.append(folder)
        else:
            words += [*(["-c", settings] if settings and "-c" not in words else []), "--pyargs", ".".join(parts[at:])]
    return ["pytest", *words]


def beside(project: Project, modules: Sequence[str]) -> list[str]:
    """The files of the project that its tests may read beside themselves: all but the package, and what is large."""
    left_out = {module.partition(".")[0] for module in modules} | {"src", "lib", *FOLDERS}

    def wanted(name: str) -> bool:
        path = project.root / name
        inside = not left_out.isdisjoint(PurePosixPath(part).stem for part in PurePosixPath(name).parts)
        return path.is_file() and (name in SETTINGS or (not inside and path.stat().st_size < LARGE))

    return sorted({*filter(wanted, tree_files(project)), *filter(wanted, SETTINGS)})


def _copy_new(source: str, target: str) -> None:
    if not Path(target).exists():
        shutil.copy2(source, target)


def pytest_settings(project: Project) -> tuple[str, dict[str, Any]]:
    """The file of the project's folder with pytest's settings, and these; an empty name for none."""
    tables = {"pytest.ini": _ini(project.root / "pytest.ini", "pytest"),
              PYPROJECT: {**project.section("tool", "pytest"), **project.section("tool", "pytest", "ini_options")},
              "tox.ini": _ini(project.root / "tox.ini", "pytest"),
              "setup.cfg": _ini(project.root / "setup.cfg", "tool:pytest")}
    return next(((file, table) for file, table in tables.items() if table), ("", {}))


def _ini(path: Path, section: str) -> dict[str, Any]:
    """A section of an INI file, empty where there is none."""
    reader = configparser.ConfigParser(interpolation=None)
    with contextlib.suppress(configparser.Error, UnicodeDecodeError):
        reader.read(path, encoding="utf-8")
    return dict(reader[section]) if reader.has_section(section) else {}


def folders_of_tests(project: Project) -> list[str]:
    """The folders of tests in the project's folder: those that pytest's settings name, or else the usual ones."""
    named = pytest_settings(project)[1].get("testpaths") or ()
    paths = [PurePosixPath(path) for path in (named.split() if isinstance(named, str) else map(str, named))]
    inside = [str(path) for path in paths if not path.is_absolute() and ".." not in path.parts and path.parts]
    return [path for path in inside or FOLDERS if (project.root / path).is_dir()]


def sources(project: Project) -> list[str]:
    """What a suite may read from the project's folder, each path with its sha256."""
    everything = any(ROOT in word for word in project.settings.test_command)
    return contents(project.root, *(() if everything else (*folders_of_tests(project), *SETTINGS)))


def _repeat(environment: Environment, command: Sequence[str], folder: Path, *, reruns: int,
            threads: int | None, names: Sequence[str]) -> Suite:
    """Run a suite, and what failed in it again up to `reruns` times."""
    start = time.monotonic()
    code, output, first = _once(environment, command, folder, threads, names, again=False)
    report, rerun = first, dict.fromkeys(first.failed if first else ())
    left = reruns if code not in (0, NO_TESTS) else 0
    repeated = False
    while code and left:
        left, repeated = left - 1, True
        code, output, report = _once(environment, command, folder, threads, names, again=report is not None)
    names = tuple(rerun) or (("the whole suite",) if repeated else ())
    return Suite(shlex.join(command), code, time.monotonic() - start, first.tests if first else -1,
                 first.skipped if first else 0, names if repeated else (),
                 report.failed if report and code else (),
                 without_secrets(report.why if report and report.why else tail(output, 40)))


def _once(environment: Environment, command: Sequence[str], folder: Path, threads: int | None,
          names: Sequence[str], *, again: bool) -> tuple[int, str, Report | None]:
    """Run the command once, with `again` only what failed last time; its exit code, output and report."""
    report, cache = folder / ".report.xml", folder / ".pytest_cache"
    report.unlink(missing_ok=True)
    options = ["-o", f"cache_dir={cache}", f"--junitxml={report}", *(["--last-failed"] if again else [])]
    env = {**({name: str(threads) for name in THREADS} if threads else {}), **suite_env(names)}
    env["PYTEST_ADDOPTS"] = shlex.join(options)
    env["PATH"] = os.pathsep.join([str(environment.scripts), env.get("PATH", os.defpath)])
    env["VIRTUAL_ENV"] = str(environment.folder)
    # A pytest from elsewhere on PATH would test another environment.
    program = shutil.which(command[0], path=str(environment.scripts) if command[0] == "pytest" else env["PATH"])
    if program is None:
        return 127, f"{command[0]} isn't installed in the environment", None
    done = process.run([program, *command[1:]], cwd=folder, env=env, merged=True)
    return done.returncode, done.stdout, _read(report)


def _read(path: Path) -> Report | None:
    """pytest's report, None where there is none to read."""
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return None
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    names = ["::".join(filter(None, (case.get("classname"), case.get("name")))) for case in failed]
    texts = (f"{name}\n{tail(part.text or '', 12)}" for name, case in zip(names, failed, strict=True)
             for part in case if part.tag in ("failure", "error"))
    return Report(len(cases), sum(case.find("skipped") is not None for case in cases), tuple(dict.fromkeys(names)),
                  "\n\n".join(itertools.islice(texts, 3)))
