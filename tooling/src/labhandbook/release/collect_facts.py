"""Reads everything that the rules of a release look at; git, the remote and the index side by side."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.git import git, lines, read_remote_tags, tracked_files
from labhandbook.package.changelog import CHANGELOG
from labhandbook.package.index_addresses import Index
from labhandbook.package.name_lookup import Answer, look_up, place_of
from labhandbook.package.project import PYPROJECT, Project
from labhandbook.package.version import find_version
from labhandbook.release.project_facts import Facts
from labhandbook.release.release_folder import State

LARGEST_TEXT = 2_000_000
# Folders that are no source, for projects without git.
NO_SOURCE = {"__pycache__", "build", "dist", "node_modules", "site-packages", "venv"}


def gather(project: Project, *, offline: bool = False, today: date | None = None) -> Facts:
    """The facts of a project that was loaded without asking its remote; at most about two seconds."""
    place = _index(project, offline)
    with ThreadPoolExecutor(max_workers=4) as pool:
        answer = pool.submit(look_up, project.name, place)
        remote = pool.submit(read_remote_tags, project.git) if project.git and not offline else None
        tracked = pool.submit(tracked_files, project.root) if project.git else None
        tags = pool.submit(git, project.root, "tag", "--list") if project.git else None
        version = find_version(project)
        files = (tracked.result() if tracked else None) or _walk(project.root)
        loose = frozenset(entry.name for entry in os.scandir(project.root) if entry.is_file()) - files
        found = Facts(project, version, Answer("none"), today or date.today(), files, loose)
        texts = _texts(project.root, _wanted(found))
        if project.git and remote:
            project = replace(project, git=project.git.with_remote_tags(remote.result()))
        built = State(project, str(found.parsed)).hashes() if found.parsed else {}
        return replace(found, project=project, index=answer.result(), texts=texts, built=built,
                       tags=frozenset(lines(tags.result() if tags else None)))


def _index(project: Project, offline: bool) -> Index | Answer:
    target = project.settings.compare_with
    if offline:
        return Answer(target, "not asked, because of --offline")
    if not project.name:
        return Answer(target, "the project has no name to ask for")
    return place_of(target)


def _wanted(facts: Facts) -> Iterable[str]:
    """The files whose text a rule reads."""
    yield from ("CITATION.cff", "MANIFEST.in", "setup.py", "setup.cfg")
    yield from (name for name in facts.files if CHANGELOG.fullmatch(name))
    yield from (name for name in facts.files if name.endswith("__init__.py") and name.count("/") <= 2)
    if facts.readme:
        yield facts.readme[0]


def _texts(root: Path, names: Iterable[str]) -> dict[str, str]:
    texts = {}
    for name in set(names):
        with contextlib.suppress(HandbookError):
            texts[name] = untrusted_data.text(root / name, largest=LARGEST_TEXT)
    return texts


def _walk(root: Path) -> frozenset[str]:
    """The files of a folder without git, without what tools leave there."""
    found = []
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name not in NO_SOURCE and not name.startswith(".")
                    and not name.endswith(".egg-info")]
        inside = Path(folder).relative_to(root)
        found += [(inside / name).as_posix() for name in names]
    return frozenset(found) | {PYPROJECT}
