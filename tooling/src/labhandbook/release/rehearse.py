"""The whole release against an index on this machine, of one package or of several that depend on each other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from threading import Thread

from labhandbook.release import addresses, machine, workflow
from labhandbook.release.actions import Options, Release
from labhandbook.release.project import Project
from labhandbook.release.state import REHEARSAL
from labhandbook.steps import Result, Step


def rehearse(projects: Sequence[Project], options: Options,
             begin: workflow.Begin = workflow.silent) -> Iterator[tuple[Release, Result]]:
    """Rehearse the projects in the order given, in which each comes after what it depends on.

    They share one index, which lies with the last project and outlives a killed run. A step that fails ends all.
    """
    releases = workflow.open_releases(projects, options)

    def beginning(release: Release, step: Step[Release]) -> None:
        if step.name == "build":
            Thread(target=_load_ahead, args=(options.pythons,), daemon=True).start()
        begin(release, step)

    with serving(releases):
        yield from workflow.run_all(releases, workflow.steps("rehearse"), beginning)


def _load_ahead(pythons: Sequence[str]) -> None:
    """Load what the steps after a build need, while this process waits for the build; a problem shows again there."""
    with contextlib.suppress(ImportError, OSError):
        machine.interpreters(versions=pythons)
        from readme_renderer import markdown, rst  # noqa: F401
        from twine import package, settings  # noqa: F401

        from labhandbook.release import acceptance, inspect, publish, trials, verify  # noqa: F401
        from labhandbook.release.rules import archives, gate  # noqa: F401


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
