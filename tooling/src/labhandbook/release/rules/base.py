"""How a rule of a release is written: a record and a pure function from facts to places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from labhandbook.release.facts import Facts
from labhandbook.release.project import PYPROJECT
from labhandbook.rules import Finding, Rule, Severity, register


@dataclass(frozen=True)
class At:
    """Something that a rule found: what, where, and how much it weighs if not as much as its rule."""

    message: str
    file: str = PYPROJECT
    line: int = 0
    severity: Severity | None = None


Look = Callable[[Facts], Iterable[At]]
CHECKS: dict[str, Callable[[Facts], Iterator[Finding]]] = {}
UNVERIFIED = Severity.UNVERIFIED
WARNING = Severity.WARNING
ERROR = Severity.ERROR


def rule(code: str, title: str, *, why: str, mend: str, section: str,
         severity: Severity = ERROR) -> Callable[[Look], Look]:
    """Register a rule with the function that looks for places where it doesn't hold."""
    record = register(Rule(code, title, why, mend, section, severity))

    def keep(look: Look) -> Look:
        def findings(facts: Facts) -> Iterator[Finding]:
            return (Finding(at.file, at.line, record, at.message, at.severity) for at in look(facts))

        CHECKS[code] = findings
        return look

    return keep


def unverified(message: str, file: str = PYPROJECT, line: int = 0) -> At:
    """A rule could not look."""
    return At(message, file, line, UNVERIFIED)


def listed(names: Iterable[str], most: int = 5) -> str:
    """`a, b and c`, shortened to the first few and how many more there are."""
    found = list(names)
    if len(found) > most:
        return f"{', '.join(found[:most])} and {len(found) - most} more"
    return " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))
