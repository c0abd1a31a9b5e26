"""What fails in an installed package before any test tool is there: modules, entry points and `__version__`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from labhandbook.core.process import TimeoutExpired, run
from labhandbook.core.rules import Finding, Rule, Severity, register
from labhandbook.core.wording import listed
from labhandbook.package.environments import Environment
from labhandbook.package.machine import suite_env, without_secrets
from labhandbook.package.project import PYPROJECT, Project, normalise
from labhandbook.release import wheel_probe

SECONDS = 300
SCRIPTS = ("console_scripts", "gui_scripts")

IMPORTS = register(Rule(
    "REL608", "The installed package can be imported without the test tools",
    "Test tools bring packages that users do not have, and hide that a requirement, a module or a file is missing.",
    "Add what is missing to the dependencies, or to what the build puts into the wheel.", "sec-pypi-test",
    asks="the index"))
LOADS = register(Rule(
    "REL609", "Every entry point of the installed package can be loaded without the test tools",
    "The command is installed and ends with a traceback, or the plug-in stops the program that loads it.",
    "Correct the entry point, or add what it needs to the dependencies or to the wheel.", "sec-pypi-test",
    asks="the index"))
AGREES = register(Rule(
    "REL610", "The installed package's `__version__` is the version of its metadata",
    "People report the version that the package prints; if it is wrong, the bug can't be reproduced.",
    'Read it from the metadata: importlib.metadata.version("NAME"), or let the build write the file it is in.',
    "sec-pypi-metadata-version", asks="the index"))


@dataclass(frozen=True)
class Problem:
    """One thing that failed: a module or an entry point with its group, and how; or a `__version__` that differs."""

    kind: str
    name: str
    group: str = ""
    error: str = ""
    missing: str = ""
    value: str = ""
    own: bool = False
    optional: bool = False


def probe(environment: Environment, name: str, folder: Path, project: Project) -> tuple[Problem, ...]:
    """Import everything that an installed package brings, in `folder`, which is empty; what failed."""
    report = folder.parent / "alone.jsonl"
    command = [str(environment.python), "-I", wheel_probe.__file__, name, str(report)]
    try:
        done = run(command, cwd=folder, env=suite_env(project.settings.pass_env), timeout=SECONDS, merged=True)
        ended = f"the interpreter ended with {done.returncode}"
    except TimeoutExpired:
        ended = f"it took longer than {SECONDS} s"
    lines = report.read_text(encoding="utf-8").splitlines() if report.is_file() else []
    entries = [json.loads(line) for line in lines]
    if entries and "done" not in entries[-1]:
        entries[-1] |= {"done": "yes", "error": ended}
    return tuple(_problems(entries, environment.distribution(name)))


def _problems(entries: Sequence[dict[str, str]], package: metadata.Distribution) -> Iterator[Problem]:
    tops = {module.partition(".")[0] for module in wheel_probe.names(package)}
    extras = {normalise(re.split(r"[^\w.-]", text)[0]) for text in package.requires or () if "extra" in text}
    for entry in entries:
        if "done" not in entry:
            continue
        kind, name, error = entry["kind"], entry["name"], without_secrets(entry.get("error", ""))
        missing = entry.get("missing", "")
        top = missing.partition(".")[0]
        if kind == "version":
            value = entry.get("value", "")
            the_package = tops == {name} or normalise(name) == normalise(package.metadata["Name"])
            if value and the_package and _differ(value, package.version):
                yield Problem(kind, name, value=value)
        elif error:
            file = entry.get("file", "")
            own = top in tops or any(f"site-packages/{each}" in file for each in tops)
            optional = bool(top) and not own and (
                top in sys.stdlib_module_names or any(normalise(top) in extra for extra in extras))
            yield Problem(kind, name, entry["group"], error, top, own=own, optional=optional)


def _differ(value: str, version: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(value).public != Version(version).public
    except InvalidVersion:
        return True


def judge_alone(project: Project, problems: Sequence[Problem], version: str) -> Iterator[Finding]:
    """The findings: an error where users meet it at once, a warning where a module may be optional by design."""
    place = PYPROJECT, project.line("dependencies", "project")
    modules = [each for each in problems if each.kind == "module"]
    sure = [each for each in modules if "." not in each.name or each.own]
    # A package that can't be imported fails in all its modules for the same reason.
    reasons: dict[str, list[str]] = {}
    for each in sure:
        reasons.setdefault(each.error, []).append(each.name)
    for error, names in reasons.items():
        yield Finding(*place, IMPORTS, f"import {listed(names, 3)} fails: {error}")
    # Private modules are often for another system, and imported only there.
    rest = [each for each in modules if each not in sure and not each.optional and each.error not in reasons
            and "._" not in each.name]
    if rest:
        said = [f"{each.name} ({each.missing or each.error})" for each in rest]
        yield Finding(*place, IMPORTS, f"modules that can't be imported here: {listed(said, 4)}", Severity.WARNING)
    for each in problems:
        if each.kind == "entry" and each.error not in reasons:
            plug_in = each.group not in SCRIPTS and bool(each.missing) and not each.own
            lesser = each.optional or wheel_probe.OF_TESTS.search(each.name) is not None
            weight = Severity.UNVERIFIED if plug_in else Severity.WARNING if lesser else None
            yield Finding(PYPROJECT, project.line(each.name.partition(" ")[0]), LOADS,
                          f"{each.name} in {each.group} fails: {each.error}", weight)
        elif each.kind == "version":
            yield Finding(PYPROJECT, project.line("version", "project"), AGREES,
                          f"{each.name}.__version__ is {each.value}, the metadata say {version}")
