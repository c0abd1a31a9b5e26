"""The whole release against an index on this machine, of one package or of several that depend on each other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from labhandbook.release import addresses, workflow
from labhandbook.release.actions import Options, Release
from labhandbook.release.project import Project
from labhandbook.release.state import REHEARSAL
from labhandbook.steps import Result


def rehearse(projects: Sequence[Project], options: Options,
             begin: workflow.Begin = workflow.silent) -> Iterator[tuple[Release, Result]]:
    """Rehearse the projects in the order given, in which each comes after what it depends on.

    They share one index, which lies with the last project and outlives a killed run. A step that fails ends all.
    """
    releases = workflow.open_releases(projects, options)
    with serving(releases):
        yield from workflow.run_all(releases, workflow.steps("rehearse"), begin)


@contextlib.contextmanager
def serving(releases: Sequence[Release]) -> Iterator[None]:
    """Serve the index of a rehearsal and give it to the releases."""
    from labhandbook.release import index

    top = releases[-1]
    top.state.prepare()
    with index.serving(top.state.folder / REHEARSAL, lag=top.options.lag) as server:
        place = addresses.index(server.url)
        for release in releases:
            release.server = server
            release.index = addresses.Index(REHEARSAL, place.upload, place.simple, place.web)
        yield
