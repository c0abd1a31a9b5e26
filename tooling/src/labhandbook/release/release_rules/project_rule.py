"""How a rule of a release is written: a record and a pure function from facts to places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from labhandbook.core.rules import Finding, Rule, Severity, register
from labhandbook.package.findings import ERROR, At
from labhandbook.release.project_facts import Facts

Look = Callable[[Facts], Iterable[At]]
CHECKS: dict[str, Callable[[Facts], Iterator[Finding]]] = {}


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
