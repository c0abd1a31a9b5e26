"""The release's files in clean environments: each file, each interpreter found, once the lowest dependencies."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.steps import Say, nothing
from labhandbook.package.environments import (
    Environment,
    InstallFailed,
    Own,
    create,
    extra_for_tests,
    modules,
    requirements,
)
from labhandbook.package.machine import Interpreter, interpreters, scratch, uv_program
from labhandbook.package.project import Project
from labhandbook.package.wheel_tags import fits, preferred
from labhandbook.release.test_suite import Suite, run_suite
from labhandbook.release.wheel_alone import Problem, probe

TEST_GROUPS = ("test", "tests", "testing", "hatch-test", "dev")
TEST_FILES = ("requirements-test.txt", "requirements-tests.txt", "test-requirements.txt", "requirements/test.txt",
              "requirements/tests.txt", "tests/requirements.txt", "requirements_test.txt", "requirements-dev.txt",
              "requirements/dev.txt", "dev-requirements.txt", "requirements_dev.txt")


@dataclass(frozen=True)
class Trial:
    """One clean environment to be made: for which file, which interpreter and which dependencies."""

    what: str
    own: tuple[Own, ...]
    interpreter: Interpreter
    lowest: bool = False

    @property
    def label(self) -> str:
        """The environment, for people."""
        return named([self])


@dataclass(frozen=True)
class Tried:
    """How the tests in an environment ended. `problem` is why nothing was installed, `raised` what is not lowest.

    `alone` is what failed before the test tools were installed.
    """

    trial: Trial
    seconds: float
    installing: float
    suite: Suite | None = None
    problem: str = ""
    raised: tuple[str, ...] = ()
    alone: tuple[Problem, ...] = ()

    @property
    def words(self) -> str:
        """The result in one line."""
        return f"{self.trial.label}: {self.suite.words if self.suite else 'could not be installed'}"

    def as_json(self) -> dict[str, object]:
        """The facts for the ledger."""
        suite = self.suite
        return {"label": self.trial.label, "seconds": round(self.seconds, 2), "installing": round(self.installing, 2),
                "suite": round(suite.seconds, 2) if suite else 0.0, "result": self.words,
                "command": suite.command if suite else "", "rerun": list(suite.rerun) if suite else [],
                "raised": list(self.raised)}


def named(trials: Sequence[Trial]) -> str:
    """The environments in words: `wheel on Python 3.11.7, 3.12.1; sdist on Python 3.12.1`."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for trial in trials:
        groups.setdefault((trial.what, trial.lowest), []).append(trial.interpreter.version)
    return "; ".join(f"{what} on Python {', '.join(versions)}{' with the lowest dependencies' if lowest else ''}"
                     for (what, lowest), versions in groups.items())


def admitted(project: Project, versions: Sequence[str] = (), requires: str = "") -> list[Interpreter]:
    """The interpreters to test on: all that are found and admitted, or those of `versions` ("3.12").

    `requires` is what the built files say of Python, for projects without a [project] table.

    Raises HandbookError when there is none.
    """
    wanted = requires or str(project.table.get("requires-python", ""))
    chosen = interpreters(wanted, versions)
    if not chosen:
        found = interpreters(wanted) or interpreters()
        asked = " or ".join(versions) or f"that {wanted} admits"
        raise HandbookError(f"no Python {asked} found here",
                            where=f"pyproject.toml:{project.line('requires-python')}",
                            why=f"found: {', '.join(each.version for each in found) or 'none'}",
                            todo="install one (uv python install does), or correct requires-python",
                            section="sec-pypi-metadata-python")
    return chosen


def plan(wheels: Sequence[Own], sdists: Sequence[Own], pythons: Sequence[Interpreter], companions: Sequence[Own] = (),
         *, lowest: bool = True) -> list[Trial]:
    """The environments to test in: the wheel everywhere, the sdist on the newest Python, lowest bounds on the oldest.

    Of several wheels each Python gets the one that pip would choose. Where none fits a Python, as a compiled one of
    another does not, the sdist is built there instead.
    """
    def one(file: Own, python: Interpreter, *, lowest: bool = False) -> Trial:
        return Trial("wheel" if file in wheels else "sdist", (file, *companions), python, lowest)

    def fitting(python: Interpreter) -> list[Own]:
        paths = {wheel.path.name: wheel for wheel in wheels if wheel.path}
        return [paths[name] for name in preferred(paths, python.minor)[:1]] or list(sdists)

    pairs = [(file, python) for python in pythons for file in fitting(python)]
    pairs += [(sdist, pythons[-1]) for sdist in sdists]
    trials = [one(file, python) for file, python in dict.fromkeys(pairs)]
    return trials + [one(file, pythons[0], lowest=True) for file in fitting(pythons[0])[:1] if lowest]


def newest(pythons: Sequence[Interpreter], wheels: Sequence[str]) -> Interpreter:
    """The newest Python that one of these wheels, given by their file names, fits.

    Raises HandbookError when none does.
    """
    for python in reversed(pythons):
        if any(fits(wheel, python.minor) for wheel in wheels):
            return python
    raise HandbookError(f"no Python fits {', '.join(wheels) or 'a wheel of this release'}",
                        why=f"found: {', '.join(python.version for python in pythons)}",
                        todo="install the Python that the wheel was built for, or name it with --python",
                        section="sec-pypi-install")


def summary(tried: Sequence[Tried]) -> str:
    """How the tests ended, in one line."""
    passed = sum(bool(each.suite and each.suite.fine) for each in tried)
    empty = sum(bool(each.suite and each.suite.empty) for each in tried)
    untested = f"; {empty} installed, without tests to run" if empty else ""
    return f"{passed} of {len(tried)} environments passed{untested}"


def carry_out(trials: Sequence[Trial], project: Project, say: Say = nothing) -> list[Tried]:
    """Test in all environments, as many at a time as there are processors; results in the order given."""
    uv, processors = uv_program(), os.cpu_count() or 1
    threads = max(1, processors // len(trials)) if len(trials) > 1 else None
    with scratch(project.normalised) as folder, ThreadPoolExecutor(processors) as pool:
        def one(numbered: tuple[int, Trial]) -> Tried:
            number, trial = numbered
            own = folder / str(number)
            own.mkdir()
            tried = attempt(trial, project, own, uv, threads, say)
            say(f"{tried.words} ({tried.seconds:.1f} s)")
            return tried

        return list(pool.map(one, enumerate(trials)))


def attempt(trial: Trial, project: Project, folder: Path, uv: Path | None, threads: int | None, say: Say) -> Tried:
    """Make one environment, install, run the tests."""
    start = time.monotonic()
    outside = folder / "empty"
    outside.mkdir()
    try:
        environment, names, raised, alone = install(trial, project, folder / "env", uv, outside)
    except InstallFailed as failure:
        seconds = time.monotonic() - start
        return Tried(trial, seconds, seconds, problem=str(failure))
    installed = time.monotonic()
    say(f"{trial.label}: installed in {installed - start:.1f} s, testing")
    suite = run_suite(environment, project, names, outside, threads)
    return Tried(trial, time.monotonic() - start, installed - start, suite, raised=raised,
                 alone=alone)


def install(trial: Trial, project: Project, folder: Path, uv: Path | None,
            outside: Path) -> tuple[Environment, list[str], tuple[str, ...], tuple[Problem, ...]]:
    """The environment, the modules to test, and the dependencies that got a higher version for the tests.

    Before any test tool is installed, everything that the package brings is imported in the folder `outside`; what
    failed comes last.

    Raises InstallFailed.
    """
    if trial.lowest and uv is None:
        raise InstallFailed("pip can't choose the lowest versions; install uv")
    environment = create(folder, trial.interpreter, uv)
    environment.install_own(trial.own)
    name, names = trial.own[0].name, [own.name for own in trial.own]
    package, markers = environment.distribution(name), trial.interpreter.markers
    extra = extra_for_tests(package, markers)
    runtime = requirements(package, [], markers, names)
    for companion in trial.own[1:]:
        runtime += requirements(environment.distribution(companion.name), [], markers, names)
    testing = requirements(package, [extra] if extra else [], markers, names)
    testing += [] if extra else dependency_group(project)
    if not project.settings.test_command and not any(re.match(r"pytest\b(?!-)", each) for each in testing):
        testing.append("pytest")
    before: dict[str, str] = {}
    alone: tuple[Problem, ...] = ()
    environment.install(runtime, lowest=trial.lowest)
    if trial.lowest:
        before = environment.pins()
    else:
        alone = probe(environment, name, outside, project)
    environment.install([*runtime, *testing])
    after = environment.pins() if trial.lowest else {}
    raised = tuple(f"{each} {version} -> {after.get(each)}" for each, version in sorted(before.items())
                   if after.get(each) != version)
    return environment, modules(package), raised, alone


def dependency_group(project: Project) -> list[str]:
    """What the tests need by the project's own lists, for packages without an extra for them.

    These are the dependency groups (PEP 735), the groups of pdm, Poetry and uv, hatch's environment for tests, and
    files of requirements, the first that there is.
    """
    groups = project.section("dependency-groups")
    pdm = project.section("tool", "pdm", "dev-dependencies")
    poetry = {name: [_from_poetry(each, bound) for each, bound in table.get("dependencies", {}).items()]
              for name, table in project.section("tool", "poetry", "group").items() if isinstance(table, dict)}
    hatch = {name: [*project.strings("tool", "hatch", "envs", name, "dependencies"),
                    *project.strings("tool", "hatch", "envs", name, "extra-dependencies")]
             for name in project.section("tool", "hatch", "envs")}
    uv = {"dev": project.strings("tool", "uv", "dev-dependencies")}
    for known in (groups, pdm, poetry, hatch, uv):
        name = next((name for name in TEST_GROUPS if known.get(name)), None)
        if name:
            return _group(known, name, ())
    return _from_files(project)


def _from_poetry(name: str, bound: Any) -> str:
    """A requirement of Poetry without the bounds that only Poetry reads."""
    text = bound if isinstance(bound, str) else ""
    extras = f"[{','.join(bound['extras'])}]" if isinstance(bound, dict) and bound.get("extras") else ""
    return f"{name}{extras}{text if re.match('[<>=!~]=?', text) else ''}"


def _from_files(project: Project) -> list[str]:
    """The requirements in a file of requirements for tests; its options and its own includes are left out."""
    for name in TEST_FILES:
        with suppress(HandbookError):
            lines = untrusted_data.text(project.root / name).splitlines()
            texts = [re.sub(r"(^|\s)#.*", "", line).strip() for line in lines]
            return [text for text in texts if re.match(r"[A-Za-z0-9]", text) and "/" not in text.partition(";")[0]]
    return []


def _group(groups: dict[str, Any], name: str, above: tuple[str, ...]) -> list[str]:
    """The requirements of a group and of those that it includes."""
    found: list[str] = []
    for entry in groups.get(name) or []:
        if isinstance(entry, str):
            found.append(entry)
        elif isinstance(entry, dict) and entry.get("include-group") not in (None, name, *above):
            found += _group(groups, str(entry["include-group"]), (*above, name))
    return found
