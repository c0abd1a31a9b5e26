"""Rules and findings: what must hold, and where it does not.

A rule has a code, a title, why it matters, how to mend what it finds and the section of the handbook that
teaches it. Rules live next to what they check and register here; reports and the reference page read the
registry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs.

    `UNVERIFIED` says that the rule could not look, `IGNORED` that the settings of a project ignore the finding
    for a reason, which then stands in its message.
    """

    ERROR = "error"
    WARNING = "warning"
    UNVERIFIED = "unverified"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Rule:
    """One thing that must hold. `section` is the id of the handbook section that teaches it."""

    code: str
    title: str
    why: str
    mend: str
    section: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, order=True)
class Finding:
    """A place where a rule does not hold. `line` counts from 1; 0 means the whole file."""

    file: str
    line: int
    rule: Rule = field(compare=False)
    message: str = ""
    severity: Severity | None = field(default=None, compare=False)

    @property
    def weight(self) -> Severity:
        """The severity of this finding, by default its rule's."""
        return self.severity or self.rule.severity

    @property
    def place(self) -> str:
        """`file:line`, or the file alone."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def as_json(self) -> dict[str, object]:
        """The same facts for machines."""
        return {"file": self.file, "line": self.line, "code": self.rule.code, "severity": str(self.weight),
                "message": self.message, "why": self.rule.why, "mend": self.rule.mend, "section": self.rule.section}


REGISTRY: dict[str, Rule] = {}


def register(rule: Rule) -> Rule:
    """Add a rule to the registry and return it.

    Raises ValueError when the code is taken: two rules with one code could not be told apart in a report.
    """
    if rule.code in REGISTRY:
        raise ValueError(f"rule code {rule.code} is registered twice")
    REGISTRY[rule.code] = rule
    return rule
