"""What must hold when a release's files are installed and tested, and when they come back from an index."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from labhandbook.core.rules import Finding, Rule, Severity, register
from labhandbook.core.wording import listed
from labhandbook.package.machine import Interpreter
from labhandbook.package.project import PYPROJECT, Project, normalise
from labhandbook.release.clean_sources import absent_submodules
from labhandbook.release.install_tests import Trial, Tried, named
from labhandbook.release.wheel_alone import judge_alone

INSTALLS = register(Rule(
    "REL601", "Every file of the release installs in a clean environment",
    "What can't be installed here can't be installed by anyone else.",
    "Correct what the installer reports; a missing dependency belongs in the metadata.", "sec-pypi-test",
    asks="the index"))
PASSES = register(Rule(
    "REL602", "The tests pass on the installed files, outside the project",
    "Inside the project the tests import the checkout; users only have what is in the file.",
    "Run the shown command in such an environment; most often a subpackage, a data file or a dependency is missing.",
    "sec-pypi-test", asks="the index"))
TESTED = register(Rule(
    "REL603", "There are tests to run on the installed files",
    "Without tests an installed file is only known to be installable.",
    "Keep tests in the package or in tests/, or name a test-command in [tool.handbook.release].",
    "sec-pypi-test", Severity.UNVERIFIED))
STEADY = register(Rule(
    "REL604", "Tests pass the first time",
    "A test that passes only when it is repeated hides a fault, in itself or in the package.",
    "Seed its random numbers, widen its tolerance with a reason, or fix what it found.",
    "sec-pypi-test", Severity.WARNING, asks="the index"))
LOWEST = register(Rule(
    "REL605", "The package works with the lowest dependencies that it allows",
    "A lower bound that is not tested is a guess, and some users have exactly those versions.",
    "Raise the bound of the dependency that can't be installed or that fails.", "sec-pypi-dependencies",
    asks="the index"))
LOWEST_TESTED = register(Rule(
    "REL606", "The lowest dependencies are tested in exactly these versions",
    "A dependency that the tests' own requirements raise was not tested at its lower bound.",
    "Raise the bound to the version that was tested, or lower what the tests need.",
    "sec-pypi-dependencies", Severity.UNVERIFIED, asks="the index"))
INTERPRETERS = register(Rule(
    "REL607", "The package is tested on every Python that it claims",
    "A classifier promises users of that Python that the package works.",
    "Install that Python, or let CI run the tests on it.", "sec-pypi-metadata-python", Severity.UNVERIFIED))
SAME_FILE = register(Rule(
    "REL701", "The index serves the files that were built and tested",
    "Everyone who installs the package runs what the index serves, whoever put it there.",
    "Don't release this version further. Yank it, find out who uploaded, and revoke the tokens of the project.",
    "sec-pypi-install", asks="the index"))

INTERRUPTED = 2  # pytest's exit code when tests can't be collected
NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
YOUNGER = "(the oldest Python that requires-python admits isn't here) "
CHOSEN = "(on the Python that --python names, not the oldest) "


def judge(project: Project, tried: Sequence[Tried], *, asked: bool = False) -> list[Finding]:
    """The findings of tests in environments; one finding names all that ended alike.

    `asked` says that a person chose the Pythons.
    """
    alike: dict[tuple[object, ...], list[tuple[Trial, Finding]]] = {}
    for each in tried:
        for finding in _of_one(project, each, _elsewhere(each, tried), CHOSEN if asked else YOUNGER):
            # The output of a suite holds times and folders, so only its first line is compared.
            said = finding.message.partition("\n")[0] if each.suite else finding.message
            known = finding.rule.code, finding.weight, finding.line, said
            alike.setdefault(known, []).append((each.trial, finding))
    return [replace(group[0][1], message=f"{named([trial for trial, _ in group])}: {group[0][1].message}")
            for group in alike.values()]


def untested(project: Project, pythons: Sequence[Interpreter]) -> Iterator[Finding]:
    """The Pythons that the classifiers promise and that this machine lacks."""
    here = {"{}.{}".format(*each.minor) for each in pythons}
    for classifier in project.strings("project", "classifiers"):
        found = re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier)
        if found and found[1] not in here:
            yield Finding(PYPROJECT, project.line(f'"{classifier}"'), INTERPRETERS,
                          f"Python {found[1]} isn't installed here, so the files were not tested on it")


def _elsewhere(tried: Tried, every: Sequence[Tried]) -> frozenset[str]:
    """The tests that fail with the newest dependencies too, on the same Python or else on any."""
    if not tried.trial.lowest:
        return frozenset()
    newest = [each for each in every if not each.trial.lowest and each.suite]
    same = [each for each in newest if each.trial.interpreter == tried.trial.interpreter]
    return frozenset(name for each in same or newest if each.suite for name in each.suite.failures)


def _of_one(project: Project, tried: Tried, elsewhere: frozenset[str], words: str) -> Iterator[Finding]:
    """The findings of one environment, which don't name it yet.

    With the lowest dependencies only the tests count that pass with the newest; those in `elsewhere` don't.
    """
    suite, lowest = tried.suite, tried.trial.lowest
    place = PYPROJECT, project.line("dependencies", "project")
    younger = lowest and not oldest(project, tried.trial.interpreter)
    note = words if younger else ""
    if suite is None:
        unsure = lowest and (younger or "install uv" in tried.problem)
        yield Finding(*place, LOWEST_TESTED if unsure else LOWEST if lowest else INSTALLS,
                      note + _indented(tried.problem))
        return
    version = tried.trial.own[0].version if tried.trial.own else ""
    yield from judge_alone(project, tried.alone, version)
    if suite.empty:
        yield Finding(PYPROJECT, project.line("test-command"), TESTED, f"{suite.command} found no tests")
    elif not suite.fine and not (lowest and suite.failures and elsewhere.issuperset(suite.failures)):
        failed = [name for name in suite.failures if name not in elsewhere]
        failures = f": {listed(failed, 10)}" if failed else ""
        unnamed = sorted({name.partition(".")[0] for name in NO_MODULE.findall(suite.output)})
        stopped = suite.code == INTERRUPTED and not tried.alone and not lowest
        if unnamed and stopped and not any(_own(project, tried, name) for name in unnamed):
            # The package itself was imported before, without the tests' packages.
            yield Finding(PYPROJECT, project.line("optional-dependencies"), PASSES,
                          f"{suite.command} did not begin: the tests import {listed(unnamed)}, which no extra or "
                          "group for tests names", Severity.UNVERIFIED,
                          "Name the tests' packages in an extra or a dependency group called test.")
            return
        yield Finding(*place, LOWEST if lowest else PASSES,
                      f"{note}{suite.command} failed{_without(project)}{failures}{_indented(chr(10) + suite.output)}",
                      Severity.WARNING if younger else None)
    if suite.rerun:
        yield Finding(PYPROJECT, project.line("reruns"), STEADY, f"run again: {', '.join(suite.rerun)}")
    if tried.raised:
        yield Finding(*place, LOWEST_TESTED, f"the tests raised {', '.join(tried.raised)}")


def _own(project: Project, tried: Tried, module: str) -> bool:
    """Whether a module is the package's, and not one that the tests need."""
    places = [project.root / top / name for top in ("", "src", "lib") for name in (module, f"{module}.py")]
    return any(normalise(module) == normalise(own.name) for own in tried.trial.own) or any(
        place.exists() for place in places)


def _without(project: Project) -> str:
    absent = absent_submodules(project)
    return f" (not checked out: the submodule {listed(absent)})" if absent else ""


def oldest(project: Project, interpreter: Interpreter) -> bool:
    """Whether no older Python is admitted. Old releases of dependencies often have nothing for a new Python."""
    from packaging.specifiers import SpecifierSet

    admitted = SpecifierSet(str(project.table.get("requires-python", "")))
    return not any(admitted.contains(f"3.{minor}.99") for minor in range(6, interpreter.minor[1]))


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")
