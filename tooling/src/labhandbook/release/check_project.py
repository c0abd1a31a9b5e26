"""`handbook release check`: reads once everything that the rules need, then runs the rules."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.git import git, lines, read_remote_tags
from labhandbook.core.rules import Findings
from labhandbook.package.findings import from_here, ignored
from labhandbook.package.index_addresses import Index
from labhandbook.package.name_lookup import Answer, look_up, place_of
from labhandbook.package.project import Project, load_projects
from labhandbook.package.version import find_version
from labhandbook.release import release_rules  # noqa: F401
from labhandbook.release.clean_sources import absent_submodules, tree_files
from labhandbook.release.project_facts import PROJECT, Facts
from labhandbook.release.release_folder import State

LARGEST_TEXT = 2_000_000
# Rules that no commit can follow before it is tagged and pushed, and those that no sources can before the commit.
BEFORE_THE_TAG = ("REL005", "REL015", "REL016", "REL083")
BEFORE_THE_COMMIT = (*BEFORE_THE_TAG, "REL011", "REL012", "REL013", "REL014")
VERSION_MODULE = re.compile(r"(^|/)_*(version|about)_*\.py$")


@dataclass(frozen=True)
class Checked:
    """What a check found in which projects."""

    findings: Findings
    projects: list[Project]


def check(paths: Sequence[Path], *, offline: bool = False, today: date | None = None,
          without: Collection[str] = ()) -> Checked:
    """Check the projects in these folders, in the order in which they would be released.

    With `offline` neither the git remote nor the index is asked, which is a finding. Files are named from the
    current folder. Raises HandbookError when a project can't be read at all.
    """
    projects = load_projects(paths, ask_remote=False)
    if not offline:
        place_of("pypi")
    with ThreadPoolExecutor(max_workers=4) as pool:
        every = list(pool.map(lambda project: gather(project, offline=offline, today=today), projects))
    found = Findings.of((from_here(finding, facts.project.root) for facts in every
                         for finding in judge(facts, without)), len(PROJECT.checks.keys() - set(without)))
    return Checked(found, [facts.project for facts in every])


def check_loaded(project: Project, *, offline: bool = False, today: date | None = None,
          without: Collection[str] = ()) -> Findings:
    """The findings in one loaded project, files named from its folder, without the rules in `without`.
    """
    return judge(gather(project, offline=offline, today=today), without)


def judge(facts: Facts, without: Collection[str] = ()) -> Findings:
    """What the rules find in the facts; what the project ignores for a reason is marked as ignored."""
    return PROJECT.run(facts, ignored=ignored(facts.project), without=without)


def gather(project: Project, *, offline: bool = False, today: date | None = None) -> Facts:
    """The facts of a project that was loaded without asking its remote; at most about two seconds."""
    place = _index(project, offline)
    with ThreadPoolExecutor(max_workers=4) as pool:
        answer = pool.submit(look_up, project.name, place)
        remote = pool.submit(read_remote_tags, project.git) if project.git and not offline else None
        files = pool.submit(tree_files, project)
        tags = pool.submit(git, project.root, "tag", "--list") if project.git else None
        absent = pool.submit(absent_submodules, project)
        version = find_version(project)
        loose = frozenset(entry.name for entry in os.scandir(project.root) if entry.is_file()) - files.result()
        found = Facts(project, version, Answer("none"), today or date.today(), files.result(), loose)
        texts = _texts(project.root, _wanted(found))
        if project.git and remote:
            project = replace(project, git=project.git.with_remote_tags(remote.result()))
        built = State(project, str(found.parsed)).hashes() if found.parsed else {}
        return replace(found, project=project, index=answer.result(), texts=texts, built=built,
                       absent=tuple(absent.result()), tags=frozenset(lines(tags.result() if tags else None)))


def _index(project: Project, offline: bool) -> Index | Answer:
    target = project.settings.compare_with
    if offline:
        return Answer(target, "not asked, because of --offline")
    if not project.name:
        return Answer(target, "the project has no name to ask for")
    return place_of(target)


def _wanted(facts: Facts) -> Iterable[str]:
    """The files whose text a rule reads."""
    yield from ("CITATION.cff", "MANIFEST.in", "setup.py", "setup.cfg", ".gitignore")
    if facts.changelog:
        yield facts.changelog
    yield from (name for name in facts.files if name.endswith("__init__.py") and name.count("/") <= 2)
    yield from (name for name in facts.files if VERSION_MODULE.search(name) and name.count("/") <= 3)
    if facts.readme:
        yield facts.readme[0]


def _texts(root: Path, names: Iterable[str]) -> dict[str, str]:
    texts = {}
    for name in set(names):
        with contextlib.suppress(HandbookError):
            texts[name] = untrusted_data.text(root / name, largest=LARGEST_TEXT)
    return texts
