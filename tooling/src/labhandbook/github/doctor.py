"""`handbook release doctor`: reads a repository once, then lets every rule look at it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from labhandbook.core.rules import Findings
from labhandbook.github.collect_repository import gather
from labhandbook.github.repository import Repository
from labhandbook.github.workflow_rules import WORKFLOWS
from labhandbook.package.findings import from_here, ignored
from labhandbook.package.project import PYPROJECT


@dataclass(frozen=True)
class Examined:
    """What the doctor found, and in which repository."""

    findings: Findings
    repository: Repository


def examine(start: Path, *, offline: bool = False) -> Examined:
    """Examine the repository of a folder; files are named from the current folder.

    Raises HandbookError when there is nothing to examine.
    """
    repository = gather(start, offline=offline)
    found = judge(repository)
    return Examined(Findings.of((from_here(each, repository.root) for each in found), found.rules), repository)


def judge(repository: Repository) -> Findings:
    """What the rules find, files named from the repository; what the project ignores is marked as ignored."""
    project = repository.project
    if project is None:
        return WORKFLOWS.run(repository)
    found = WORKFLOWS.run(repository, ignored=ignored(project))
    inside = Path(os.path.relpath(project.root, repository.root), PYPROJECT).as_posix()
    return Findings.of((each.moved(inside) if each.file == PYPROJECT else each for each in found), found.rules)
