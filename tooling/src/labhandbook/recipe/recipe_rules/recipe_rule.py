"""How a rule of a recipe is written: a record and a pure function from what was read to places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from labhandbook.core.rules import Finding, Rule, Severity, register
from labhandbook.recipe.recipe_reader import Reading

MEND = "sec-conda-forge-mend"
FIELDS = "sec-conda-forge-mend-fields"
TESTS = "sec-conda-forge-mend-tests"
CHECK = "sec-conda-forge-check"
ERROR, WARNING, UNVERIFIED = Severity.ERROR, Severity.WARNING, Severity.UNVERIFIED


@dataclass(frozen=True)
class At:
    """Something that a rule found: what, at which line, and how much it weighs if not as much as its rule."""

    message: str
    line: int = 0
    severity: Severity | None = None


Look = Callable[[Reading], Iterable[At]]
CHECKS: dict[str, Callable[[Reading], Iterator[Finding]]] = {}
# The codes under which conda-forge's own linter (conda-smithy) knows the same thing.
SAME: dict[str, tuple[str, ...]] = {}


def rule(code: str, title: str, *, why: str, mend: str, section: str = FIELDS, severity: Severity = ERROR,
         same: tuple[str, ...] = ()) -> Callable[[Look], Look]:
    """Register a rule with the function that looks for places where it doesn't hold.

    `same` are conda-forge's codes for it, which then stand in its title.
    """
    record = register(Rule(code, _titled(title, same), why, mend, section, severity))
    SAME[code] = same

    def keep(look: Look) -> Look:
        def findings(reading: Reading) -> Iterator[Finding]:
            return (Finding(reading.file, at.line, record, at.message, at.severity) for at in look(reading))

        CHECKS[code] = findings
        return look

    return keep


def record(code: str, title: str, *, why: str, mend: str, section: str, severity: Severity = ERROR) -> Rule:
    """Register a rule that other work than linting finds."""
    return register(Rule(code, title, why, mend, section, severity))


def _titled(title: str, same: tuple[str, ...]) -> str:
    return f"{title} (conda-forge {', '.join(same)})" if same else title
