"""A whole release with an index on this machine, of one package or of several that depend on each other."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.git import git
from labhandbook.core.steps import Result
from labhandbook.package import index_addresses
from labhandbook.package.project import Project, load_project
from labhandbook.package.version import version_of
from labhandbook.release.check_project import BEFORE_THE_TAG
from labhandbook.release.clean_sources import export
from labhandbook.release.local_index import Server, running
from labhandbook.release.local_index_files import Store
from labhandbook.release.package_build import asked
from labhandbook.release.release_folder import REHEARSAL
from labhandbook.release.release_rules.commit import tags_of
from labhandbook.release.release_steps import Begin, open_releases, run_all, steps
from labhandbook.release.step_actions import Options, Release


def rehearse(projects: Sequence[Project], options: Options, begin: Begin = lambda release, step: None, *,
             untagged: bool = False, files: Sequence[Path] = ()) -> Iterator[tuple[Release, Result]]:
    """Rehearse the projects in the order given, in which each comes after what it depends on.

    They share one index, which is in the last project's folder and survives a killed run. A step that fails is the
    last. With `untagged`, commits without a tag are rehearsed as the dev versions that they are, in temporary copies.
    """
    with contextlib.ExitStack() as stack:
        named = {project.normalised: project for project in projects}
        if untagged:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handbook-rehearsal-"))).resolve()
            projects = [tagged_copy(project, folder / project.normalised) for project in projects]
            options = replace(options, without=BEFORE_THE_TAG)
        releases = open_releases(projects, options, build=True, files=files)
        top = releases[-1].state
        top.prepare()
        server = stack.enter_context(running(Server(Store(top.folder / REHEARSAL))))
        for release in releases:
            release.server, release.index = server, replace(index_addresses.index(server.url), name=REHEARSAL)
        for release, result in run_all(releases, steps("rehearse"), begin):
            # Findings are about the project, not about its copy.
            yield replace(release, project=named[release.project.normalised]), result


def tagged_copy(project: Project, folder: Path) -> Project:
    """A copy of a commit without a tag, tagged there as the version that it has; the project itself if it has one.

    Raises HandbookError when the project is not in git.
    """
    from packaging.version import Version

    if project.git is None:
        raise HandbookError(f"{project.name} is not in git", where=str(project.root), section="sec-pypi-tag",
                            why="without a tag the version comes from the history", todo="run it in a clone")
    if tags_of(project):
        return project
    root = export(project, folder)
    tag = project.settings.tag.format(version=Version(version_of(asked(project))).public)
    git(root, "tag", tag)
    return load_project(root, ask_remote=False)
