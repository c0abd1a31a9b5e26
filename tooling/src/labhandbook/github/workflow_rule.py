"""How a rule of the doctor is written: a record that names where users met the error, and a pure function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from labhandbook.core.rules import Finding, Rule, Severity, register
from labhandbook.core.wording import listed
from labhandbook.github.repository import Repository
from labhandbook.package.findings import ERROR, UNVERIFIED, WARNING, At

__all__ = ["CHECKS", "DOCTOR", "ERROR", "LIMITS", "MET", "SETUP", "UNVERIFIED", "WARNING", "WORKFLOW", "At", "listed",
           "rule"]

DOCTOR, SETUP, WORKFLOW = "sec-actions-doctor", "sec-pypi-trusted-setup", "sec-pypi-trusted-workflow"
LIMITS = "sec-pypi-trusted-limits"

Look = Callable[[Repository], Iterable[At]]
CHECKS: dict[str, Callable[[Repository], Iterator[Finding]]] = {}
# The threads on GitHub in which users met what a rule finds, as owner/name#number.
MET: dict[str, tuple[str, ...]] = {}


def rule(code: str, title: str, *, why: str, mend: str, section: str, met: tuple[str, ...] = (),
         severity: Severity = ERROR) -> Callable[[Look], Look]:
    """Register a rule with the function that looks for places where it doesn't hold.

    `met` are threads on GitHub in which users met the error; they end the rule's `why`.
    """
    record = register(Rule(code, title, f"{why} Met in {listed(met)}." if met else why, mend, section, severity))
    MET[code] = met

    def keep(look: Look) -> Look:
        def findings(repository: Repository) -> Iterator[Finding]:
            return (Finding(at.file, at.line, record, at.message, at.severity) for at in look(repository))

        CHECKS[code] = findings
        return look

    return keep
