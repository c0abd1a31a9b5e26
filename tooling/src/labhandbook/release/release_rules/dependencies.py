"""Rules on what the package needs when it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At, unverified
from labhandbook.core.wording import listed
from labhandbook.package.project import normalise
from labhandbook.release.project_facts import PROJECT, Facts

SECTION = "sec-pypi-dependencies"
# What tests, formats or checks code, and no user of a package needs.
FOR_DEVELOPERS = {
    "autopep8", "bandit", "black", "bump2version", "bumpversion", "check-manifest", "codecov", "codespell",
    "coverage", "coveralls", "docformatter", "flake8", "green", "hypothesis", "isort", "mock", "mypy", "nose",
    "nose2", "nox", "pre-commit", "pycodestyle", "pydocstyle", "pyflakes", "pylint", "pyright", "pytest", "ruff",
    "tox", "twine", "yapf",
}
PLUG_INS = ("flake8-", "mypy-", "pylint-", "pytest-", "types-")


@PROJECT.rule("REL040", "Every dependency can be read",
      why="A build stops at a requirement that doesn't follow PEP 508, and an index refuses it.",
      fix="Write the dependency as name>=1.2, with extras in brackets and a marker after a semicolon.",
      section=SECTION)
def readable(facts: Facts) -> Iterator[At]:
    """A requirement that can't be read, or a list that only the backend can compute."""
    for dependency in facts.dependencies:
        if dependency.parsed is None:
            yield At(f"{dependency.text!r} is not a requirement", dependency.file, dependency.line)
    project = facts.project
    if "dependencies" in project.dynamic and not project.built:
        yield unverified("the backend computes the dependencies, so they are unknown until the package is built",
                         line=project.line("dynamic", "project"))


@PROJECT.rule("REL041", "No dependency is pinned",
      why="Users install the package next to others: two packages that pin different versions can't be installed "
          "together.",
      fix="Replace == by >= with the lowest version that your tests pass with; pins belong in a lock file.",
      section=SECTION, severity=WARNING)
def unpinned(facts: Facts) -> Iterator[At]:
    """`==` and `===` at run time; not of a package that has this one's version, as it is released with it."""
    for dependency in facts.dependencies:
        if dependency.parsed is not None and not dependency.extra:
            for specifier in dependency.parsed.specifier:
                exact = specifier.operator == "==" and not specifier.version.endswith(".*")
                if (exact or specifier.operator == "===") and specifier.version != str(facts.parsed):
                    yield At(f"{dependency.text} is pinned", dependency.file, dependency.line)


@PROJECT.rule("REL042", "Every dependency has a lower bound",
      why="Without a lower bound, pip keeps a years-old version that happens to be installed, and your package "
          "seems to be at fault.",
      fix="Add >= with the lowest version that your tests pass with.",
      section=SECTION, severity=WARNING)
def bounded(facts: Facts) -> Iterator[At]:
    """No lower bound at run time; all in one line."""
    free = []
    for dependency in facts.dependencies:
        found = dependency.parsed
        if found is None or dependency.extra or found.url:
            continue
        if normalise(found.name) == facts.project.normalised:
            continue
        if not any(specifier.operator in (">=", ">", "~=", "==", "===") for specifier in found.specifier):
            free.append(dependency)
    if free:
        verb = "have" if len(free) > 1 else "has"
        yield At(f"{listed([each.text for each in free], 10)} {verb} no lower bound", free[0].file, free[0].line)


@PROJECT.rule("REL043", "No dependency is given by an address",
      why="PyPI refuses files that depend on an address or a git repository, also in an extra.",
      fix="Release that dependency first and name it with a version, or move it to [dependency-groups].",
      section=SECTION)
def no_address(facts: Facts) -> Iterator[At]:
    """`name @ https://...`."""
    for dependency in facts.dependencies:
        if dependency.parsed is not None and dependency.parsed.url:
            extra = f" in the extra {dependency.extra}" if dependency.extra else ""
            yield At(f"{dependency.parsed.name} is given by its address{extra}", dependency.file, dependency.line)


@PROJECT.rule("REL044", "Tools for developers are no run-time dependencies",
      why="Every user would install these tools, and conda-forge copies them into the recipe.",
      fix="Move the tool to a test extra, or to [dependency-groups] if only people with a checkout need it.",
      section="sec-pypi-metadata-extras", severity=WARNING)
def for_users(facts: Facts) -> Iterator[At]:
    """pytest, coverage, black and their like at run time."""
    project = facts.project
    entries = project.section("project", "entry-points")
    found = []
    for dependency in facts.dependencies:
        if dependency.parsed is None or dependency.extra:
            continue
        name = normalise(dependency.parsed.name)
        if name not in FOR_DEVELOPERS and not name.startswith(PLUG_INS):
            continue
        # A plug-in of such a tool needs it.
        family = re.split("-", name)[0]
        plug_in = project.normalised.startswith(f"{family}-") or any(group.startswith(family) for group in entries)
        if not plug_in:
            found.append(dependency)
    if found:
        verb = "are" if len(found) > 1 else "is"
        yield At(f"{listed([each.text for each in found])} {verb} for developers, not for users", found[0].file,
                 found[0].line)
