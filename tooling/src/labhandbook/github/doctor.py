"""`handbook release doctor`: reads a repository once, then lets every rule look at it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from labhandbook.core.rules import Finding, Severity
from labhandbook.github.collect_repository import gather
from labhandbook.github.repository import Repository
from labhandbook.github.workflow_rules import CHECKS
from labhandbook.package.findings import from_here, sift


@dataclass(frozen=True)
class Examined:
    """What the doctor found, in which repository, and how many uploads and rules that were."""

    findings: list[Finding]
    repository: Repository
    rules: int

    def failed(self, *, strict: bool = False) -> bool:
        """Whether publishing would fail; with `strict` warnings and what could not be verified count too."""
        weights = {Severity.ERROR, *((Severity.WARNING, Severity.UNVERIFIED) if strict else ())}
        return any(finding.weight in weights for finding in self.findings)


def examine(start: Path, *, offline: bool = False) -> Examined:
    """Examine the repository of a folder; files are named from the current folder.

    Raises HandbookError when there is nothing to examine.
    """
    repository = gather(start, offline=offline)
    return Examined([from_here(finding, repository.root) for finding in judge(repository)], repository, len(CHECKS))


def judge(repository: Repository) -> list[Finding]:
    """What the rules find, in the order of files and lines, ignored findings marked as such."""
    found = [finding for look in CHECKS.values() for finding in look(repository)]
    project = repository.project
    if project is not None:
        inside = os.path.relpath(project.root, repository.root)
        found = [replace(finding, file=Path(inside, finding.file).as_posix()) if finding.file == "pyproject.toml"
                 and inside != "." else finding for finding in found]
    once = {(finding.file, finding.line, finding.rule.code, finding.message): finding for finding in found}
    ordered = [once[key] for key in sorted(once)]
    return sift(ordered, project) if project else ordered
