"""Findings on a package: where a rule found something, and what a project ignores for a reason."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from labhandbook.core.rules import Finding, Severity
from labhandbook.package.project import PYPROJECT, Project

# Rules on the settings themselves; ignoring them would hide what is ignored.
NEVER_IGNORED = ("REL090", "REL091")
UNVERIFIED = Severity.UNVERIFIED
WARNING = Severity.WARNING
ERROR = Severity.ERROR


@dataclass(frozen=True)
class At:
    """Something that a rule found: what, where, and how much it weighs if not as much as its rule."""

    message: str
    file: str = PYPROJECT
    line: int = 0
    severity: Severity | None = None


def unverified(message: str, file: str = PYPROJECT, line: int = 0) -> At:
    """A rule could not look."""
    return At(message, file, line, UNVERIFIED)


def sift(findings: Iterable[Finding], project: Project) -> list[Finding]:
    """The findings, with those marked as ignored that the project ignores for a reason."""
    sifted = []
    for finding in findings:
        reason = project.settings.ignore.get(finding.rule.code, "").strip()
        if reason and finding.rule.code not in NEVER_IGNORED:
            finding = replace(finding, severity=Severity.IGNORED, message=f"{finding.message} (ignored: {reason})")
        sifted.append(finding)
    return sifted


def from_here(finding: Finding, root: Path) -> Finding:
    """A finding whose file is named from the current folder."""
    return replace(finding, file=Path(os.path.relpath(root / finding.file)).as_posix())
