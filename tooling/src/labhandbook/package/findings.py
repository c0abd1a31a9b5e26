"""Findings on a package: what its settings ignore for a reason, and its files' names from the current folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from labhandbook.core.rules import Finding, Findings, set_aside
from labhandbook.package.project import Project

# Rules on the settings themselves; ignoring them would hide what is ignored.
NEVER_IGNORED = ("REL090", "REL091")


def ignored(project: Project) -> dict[str, str]:
    """The reason for each code that the project ignores."""
    return {code: reason for code, reason in project.settings.ignore.items() if code not in NEVER_IGNORED}


def project_findings(findings: Iterable[Finding], project: Project) -> Findings:
    """Findings in a project, sorted and each once; those that it ignores are marked as ignored."""
    return Findings.of(set_aside(findings, ignored(project)))


def from_here(finding: Finding, root: Path) -> Finding:
    """A finding whose file is named from the current folder."""
    return finding.moved(Path(os.path.relpath(root / finding.file)).as_posix())
