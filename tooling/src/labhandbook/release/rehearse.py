"""The whole release against an index on this machine, of one package or of several that depend on each other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from labhandbook.errors import HandbookError
from labhandbook.release import addresses, workflow
from labhandbook.release.actions import Options, Release
from labhandbook.release.project import Project, normalise
from labhandbook.release.state import REHEARSAL
from labhandbook.steps import Result, Step

Begin = Callable[[Release, Step[Release]], None]


@dataclass(frozen=True)
class Progress:
    """A step of one of the releases that are rehearsed."""

    release: Release
    result: Result


def silent(release: Release, step: Step[Release]) -> None:
    """Tell no one that a step begins."""


def rehearse(projects: Sequence[Project], options: Options, begin: Begin = silent) -> Iterator[Progress]:
    """Rehearse the projects in the order given, in which each comes after what it depends on.

    They share one index, which lies with the last project and outlives a killed run. A step that fails ends all.
    """
    releases = prepare(projects, options)
    with serving(releases, options.lag):
        for number, release in enumerate(releases):
            for result in workflow.run(release, workflow.steps("rehearse"), partial(begin, release)):
                yield Progress(release, result)
                if result.state == "failed":
                    return
                if result.step == "build":
                    release.below = below(release, releases[:number])


def prepare(projects: Sequence[Project], options: Options) -> list[Release]:
    """The releases of projects. Raises HandbookError when two bear one name, or a version can't be told."""
    names = [project.normalised for project in projects]
    if len(set(names)) < len(names):
        raise HandbookError("two of these projects bear the same name", why=", ".join(sorted(names)),
                            todo="name each project once", section="sec-pypi-metadata")
    return [workflow.open_release(project, options) for project in projects]


@contextlib.contextmanager
def serving(releases: Sequence[Release], lag: float) -> Iterator[None]:
    """Serve the index of a rehearsal and give it to the releases."""
    from labhandbook.release import index

    top = releases[-1].state
    top.prepare()
    with index.serving(folder(top.folder), lag=lag) as server:
        place = addresses.index(server.url)
        for release in releases:
            release.server = server
            release.index = addresses.Index(REHEARSAL, place.upload, place.simple, place.web)
        yield


def folder(state: Path) -> Path:
    """Where the index of a rehearsal lies."""
    return state / REHEARSAL


def below(release: Release, earlier: Sequence[Release]) -> list[Release]:
    """The earlier releases that this one needs when installed, directly or not."""
    needed = {normalise(name) for name in _requires(release)}
    found: list[Release] = []
    for other in reversed(earlier):
        if other.project.normalised in needed:
            found.append(other)
            needed |= {normalise(name) for name in _requires(other)}
    return found


def _requires(release: Release) -> list[str]:
    """The names of what a built wheel asks for."""
    from packaging.requirements import Requirement

    from labhandbook.release.distribution import read

    wheels = [path for path in release.state.files() if path.suffix == ".whl"]
    return [Requirement(line).name for line in read(wheels[0]).requires] if wheels else []
