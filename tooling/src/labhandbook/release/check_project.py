"""`handbook release check`: gathers the facts of a project once, then lets every rule look at them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from labhandbook.core.rules import Findings
from labhandbook.package.findings import from_here, ignored
from labhandbook.package.name_lookup import place_of
from labhandbook.package.project import Project, load_projects
from labhandbook.release.collect_facts import gather
from labhandbook.release.project_facts import Facts
from labhandbook.release.release_rules import PROJECT


@dataclass(frozen=True)
class Checked:
    """What a check found in which projects."""

    findings: Findings
    projects: list[Project]


def check(paths: Sequence[Path], *, offline: bool = False, today: date | None = None) -> Checked:
    """Check the projects in these folders, in the order in which they would be released.

    With `offline` neither the git remote nor the index is asked, which is a finding. Files are named from the
    current folder. Raises HandbookError when a project can't be read at all.
    """
    projects = load_projects(paths, ask_remote=False)
    if not offline:
        place_of("pypi")
    with ThreadPoolExecutor(max_workers=4) as pool:
        every = list(pool.map(lambda project: gather(project, offline=offline, today=today), projects))
    found = Findings.of((from_here(finding, facts.project.root) for facts in every for finding in judge(facts)),
                        len(PROJECT.checks))
    return Checked(found, [facts.project for facts in every])


def check_loaded(project: Project, *, offline: bool = False, today: date | None = None,
          without: Collection[str] = ()) -> Findings:
    """The findings in one loaded project, files named from its folder; rules in `without` don't look.

    A publication that resumes passes over what is true of every version that is partly uploaded.
    """
    return judge(gather(project, offline=offline, today=today), without)


def judge(facts: Facts, without: Collection[str] = ()) -> Findings:
    """What the rules find in the facts; what the project ignores for a reason is marked as ignored."""
    return PROJECT.run(facts, ignored=ignored(facts.project), without=without)
