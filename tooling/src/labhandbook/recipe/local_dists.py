"""Dists on this machine in place of an index's: releases that are not published yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from labhandbook.core.errors import HandbookError

SECTION = "sec-conda-forge-build"
ENDINGS = (".whl", ".tar.gz", ".zip")


@dataclass(frozen=True)
class Dist:
    """A wheel that installs here, or an sdist; `project` is its normalised name."""

    path: Path
    project: str
    version: Version

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel."""
        return self.path.suffix == ".whl"


@dataclass(frozen=True)
class Local:
    """The sdists by their file names, and the newest dist of each project, a wheel before its sdist."""

    sdists: dict[str, Path] = field(default_factory=dict)
    newest: dict[str, Dist] = field(default_factory=dict)

    def find(self, project: str, version: str) -> Path | None:
        """The file of a version of a project, None where it comes from the index."""
        found = self.newest.get(canonicalize_name(project))
        return found.path if found and found.version == Version(version) else None

    def link(self, folder: Path) -> Path:
        """A folder below `folder` with links to the newest dists alone, as an installer looks for them."""
        links = folder / "links"
        links.mkdir()
        for dist in self.newest.values():
            (links / dist.path.name).symlink_to(dist.path.resolve())
        return links

    @property
    def constraints(self) -> list[str]:
        """What keeps an installer from taking another version from the index."""
        return [f"{dist.project}=={dist.version}" for dist in self.newest.values()]


def gather(paths: Sequence[Path], python: str) -> Local:
    """The dists among files and folders; wheels that don't install with this Python (as 3.12) here are left out.

    Raises HandbookError when a path holds none.
    """
    tags = _tags(python)
    sdists: dict[str, Path] = {}
    newest: dict[str, Dist] = {}
    for path in paths:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        files = [file for file in files if file.name.endswith(ENDINGS) and file.is_file()]
        if not files:
            raise HandbookError(f"{path} holds no sdist and no wheel" if path.is_dir() else
                                f"{path} is no sdist and no wheel" if path.exists() else f"there is no {path}",
                                why="the build takes from it what isn't on the index yet",
                                todo="give the folder that python -m build fills, or a file in it", section=SECTION)
        for dist in _dists(files, tags):
            if not dist.is_wheel:
                sdists.setdefault(dist.path.name, dist.path)
            known = newest.get(dist.project)
            if known is None or (known.version, known.is_wheel) < (dist.version, dist.is_wheel):
                newest[dist.project] = dist
    return Local(sdists, newest)


def _dists(files: Sequence[Path], tags: frozenset[object]) -> Iterator[Dist]:
    for file in files:
        try:
            if file.suffix == ".whl":
                name, version, _, own = parse_wheel_filename(file.name)
                if not own & tags:
                    continue
            else:
                name, version = parse_sdist_filename(file.name)
        except (InvalidWheelFilename, InvalidSdistFilename):
            continue
        yield Dist(file, name, version)


def _tags(python: str) -> frozenset[object]:
    major, minor = map(int, python.split(".")[:2])
    return frozenset([*cpython_tags((major, minor)), *compatible_tags((major, minor), f"cp{major}{minor}")])
