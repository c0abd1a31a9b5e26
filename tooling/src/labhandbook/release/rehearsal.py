"""The whole release against an index on this machine, of one package or of several that depend on each other."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread

from labhandbook.core.errors import HandbookError
from labhandbook.core.git import git
from labhandbook.core.steps import Result, Step
from labhandbook.package import index_addresses, machine
from labhandbook.package.project import Project, load_project
from labhandbook.package.version import version_of
from labhandbook.release import release_steps
from labhandbook.release.release_folder import REHEARSAL
from labhandbook.release.release_rules.commit import tags_of
from labhandbook.release.step_actions import Options, Release

# Rules that no commit can follow before it is tagged and pushed.
BEFORE_THE_TAG = ("REL005", "REL015", "REL016", "REL083")


def rehearse(projects: Sequence[Project], options: Options, begin: release_steps.Begin = release_steps.silent, *,
             untagged: bool = False) -> Iterator[tuple[Release, Result]]:
    """Rehearse the projects in the order given, in which each comes after what it depends on.

    They share one index, which lies with the last project and outlives a killed run. A step that fails ends all.
    With `untagged`, commits without a tag are rehearsed as the dev versions that they are, in copies that are gone
    afterwards.
    """
    def beginning(release: Release, step: Step[Release]) -> None:
        if step.name == "build":
            Thread(target=_load_ahead, args=(options.pythons,), daemon=True).start()
        begin(release, step)

    with contextlib.ExitStack() as stack:
        named = {project.normalised: project for project in projects}
        if untagged:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handbook-rehearsal-"))).resolve()
            projects = [tagged_copy(project, folder / project.normalised) for project in projects]
            options = replace(options, without=BEFORE_THE_TAG)
        releases = release_steps.open_releases(projects, options)
        stack.enter_context(serving(releases))
        for release, result in release_steps.run_all(releases, release_steps.steps("rehearse"), beginning):
            # Findings are about the project, not about its copy.
            yield replace(release, project=named[release.project.normalised]), result


def _load_ahead(pythons: Sequence[str]) -> None:
    """Load what the steps after a build need, while this process waits for the build; a problem shows again there."""
    with contextlib.suppress(ImportError, OSError):
        machine.interpreters(versions=pythons)
        from readme_renderer import markdown, rst  # noqa: F401
        from twine import package, settings  # noqa: F401

        from labhandbook.release import inspection, install_tests, publish, upload_gate, verify  # noqa: F401
        from labhandbook.release.release_rules import archive_form, upload_metadata  # noqa: F401


def tagged_copy(project: Project, folder: Path) -> Project:
    """A copy of a commit without a tag, tagged there as the version that it has; the project itself if it has one.

    Raises HandbookError when git doesn't know the project.
    """
    from packaging.version import Version

    from labhandbook.release.clean_sources import export

    if project.git is None:
        raise HandbookError(f"git doesn't know {project.name}", where=str(project.root), section="sec-pypi-tag",
                            why="without a tag the version comes from the history", todo="run it in a clone")
    if tags_of(project):
        return project
    root = export(project, folder)
    tag = project.settings.tag.format(version=Version(version_of(project)).public)
    git(root, "tag", tag)
    return load_project(root, ask_remote=False)


@contextlib.contextmanager
def serving(releases: Sequence[Release]) -> Iterator[None]:
    """Serve the index of a rehearsal and give it to the releases."""
    from labhandbook.release import local_index

    top = releases[-1]
    top.state.prepare()
    with local_index.serving(top.state.folder / REHEARSAL, lag=top.options.lag) as server:
        place = index_addresses.index(server.url)
        for release in releases:
            release.server = server
            release.index = index_addresses.Index(REHEARSAL, place.upload, place.simple, place.web)
        yield
