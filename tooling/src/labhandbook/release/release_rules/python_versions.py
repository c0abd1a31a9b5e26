"""Rules on the Python versions that the package is for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from labhandbook.core.rules import WARNING, At, unverified
from labhandbook.core.wording import listed
from labhandbook.package.version_tables import pythons
from labhandbook.release.project_facts import PROJECT, Facts

SECTION = "sec-pypi-metadata-python"
CLASSIFIER = re.compile(r"Programming Language :: Python :: (\d+)\.(\d+)$")


def shown(version: tuple[int, int]) -> str:
    """`3.11`."""
    return ".".join(map(str, version))


def admitted(facts: Facts, versions: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those Pythons of which requires-python admits some release."""
    specifiers = facts.pythons
    return [] if specifiers is None else [
        version for version in versions
        if any(specifiers.contains(f"{shown(version)}.{patch}") for patch in (0, 1, 5, 10, 50))]


def text(facts: Facts) -> str:
    """requires-python as it is written."""
    return str(facts.project.table.get("requires-python"))


def line(facts: Facts) -> int:
    """The line of requires-python."""
    return facts.project.line("requires-python", "project")


@PROJECT.rule("REL030", "requires-python names the oldest Python",
      why="Without requires-python pip installs the package on a Python where it can't run, instead of an older "
          "release that can.",
      fix='Write requires-python = ">=3.11" with the oldest Python that you test.',
      section=SECTION)
def declared(facts: Facts) -> Iterator[At]:
    """requires-python missing, unreadable, or without a floor."""
    project = facts.project
    if not project.table or "requires-python" in project.dynamic:
        return
    if "requires-python" not in project.table:
        yield At("requires-python is missing", line=project.line("[project]"), severity=WARNING)
    elif facts.pythons is None:
        yield At(f"requires-python = {text(facts)!r} can't be read", line=line(facts))
    elif not any(specifier.operator in (">=", ">", "~=", "==") for specifier in facts.pythons):
        yield At(f"requires-python = \"{text(facts)}\" has no lower bound", line=line(facts), severity=WARNING)


@PROJECT.rule("REL031", "requires-python has no upper bound",
      why="Users of a newer Python get no warning: pip installs an older release that has no upper bound.",
      fix="Delete the upper bound.",
      section=SECTION, severity=WARNING)
def uncapped(facts: Facts) -> Iterator[At]:
    """An upper bound on Python."""
    for specifier in facts.pythons or ():
        if specifier.operator in ("<", "<=", "==", "===") or (specifier.operator == "~="):
            # ~=3.11 means below 4: no Python that is planned; ~=3.11.0 means below 3.12.
            if specifier.operator == "~=" and specifier.version.count(".") == 1:
                continue
            yield At(f"requires-python has the upper bound {specifier}", line=line(facts))


@PROJECT.rule("REL032", "requires-python admits no Python past its end of life",
      why="Such a Python gets no fixes, dependencies no longer support it, and nobody tests on it.",
      fix="Raise the lower bound of requires-python to the oldest Python that still gets fixes.",
      section=SECTION, severity=WARNING)
def alive(facts: Facts) -> Iterator[At]:
    """requires-python that admits Pythons past their end."""
    table = pythons()
    if facts.today > table.review_by:
        yield unverified(f"the table of Python versions was due to be checked again by {table.review_by}: update "
                         f"labhandbook",
                         line=line(facts))
    ended = [version for version in admitted(facts, table.ended(facts.today)) if version >= (3, 0)]
    if ended and facts.pythons is not None:
        last = table.ends[ended[-1]] - timedelta(days=1)
        oldest = table.alive(facts.today)
        advice = f", and the oldest that gets fixes is {shown(oldest[0])}" if oldest else ""
        yield At(f"requires-python = \"{text(facts)}\" admits Python {listed(map(shown, ended[-3:]))}: "
                 f"{shown(ended[-1])} ended in {last:%B %Y}{advice}", line=line(facts))


@PROJECT.rule("REL033", "Classifiers and requires-python agree",
      why="pip obeys requires-python and people read the classifiers: where they differ, one of them is wrong.",
      fix="List a classifier for each Python that you test, and no other.",
      section=SECTION, severity=WARNING)
def agree(facts: Facts) -> Iterator[At]:
    """A classifier for a Python that requires-python refuses, or none for the floor."""
    project = facts.project
    found = {(int(match[1]), int(match[2])): name for name in project.strings("project", "classifiers")
             if (match := CLASSIFIER.match(name))}
    if facts.pythons is None or not found:
        return
    refused = [version for version in sorted(found) if not admitted(facts, [version])]
    for version in refused:
        yield At(f"a classifier names Python {shown(version)}, requires-python = \"{text(facts)}\" refuses it",
                 line=project.line(found[version]))
    floor = next(iter(admitted(facts, sorted(set(pythons().ends) | set(found)))), None)
    if floor is not None and floor not in found and not refused:
        yield At(f"requires-python = \"{text(facts)}\" begins at {shown(floor)}, the classifiers at "
                 f"{shown(min(found))}", line=line(facts))
