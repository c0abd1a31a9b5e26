"""The release before this one, fetched from its index to be compared with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.package.distribution import Distribution, read
from labhandbook.package.index_addresses import index, shown
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import IndexDown, Listed, download, listing, release_of, sha256
from labhandbook.package.wheel_tags import preferred


@dataclass(frozen=True)
class Previous:
    """The last release: its wheel and its sdist where they are to be had, or in `problem` why nothing is.

    `first` says that the index has no earlier release.
    """

    wheel: Distribution | None = None
    sdist: Distribution | None = None
    problem: str = ""
    first: bool = False

    @property
    def version(self) -> str:
        """Its version."""
        file = self.wheel or self.sdist
        return file.version if file else ""


def fetch_previous(name: str, version: str, target: str, folder: Path, seconds: float = 20) -> Previous:
    """Fetch the files of the last release before `version` that wasn't yanked. The network's faults raise nothing.

    A release before its time (1.0rc1) is compared with the last release of any kind, others with the last final one.
    """
    if target == "none":
        return Previous(problem="not asked for (compare-with is none)")
    try:
        found = _last(listing(index(target), name, seconds), name, version)
        if not found:
            return Previous(first=True)
        files = [fetch(file, folder, seconds) for file in found]
    except (IndexDown, HandbookError, OSError) as error:
        return Previous(problem=f"{shown(target)} could not be asked: {error}")
    return Previous(next((file for file in files if file.is_wheel), None),
                    next((file for file in files if not file.is_wheel), None))


def _last(files: dict[str, Listed], name: str, version: str) -> list[Listed]:
    """A wheel and an sdist of the last release; of several wheels the one that pip would choose here."""
    from packaging.version import Version

    ours = Version(version)
    releases: dict[Version, list[Listed]] = {}
    for file in files.values():
        found = release_of(file.filename)
        number = found[1] if found and found[0] == normalise(name) else None
        if number and number < ours and file.yanked is None and (ours.is_prerelease or not number.is_prerelease):
            releases.setdefault(number, []).append(file)
    if not releases:
        return []
    return chosen(releases[max(releases)])


def chosen(files: Sequence[Listed]) -> list[Listed]:
    """A wheel and an sdist of the files of one release; of several wheels the one that pip would choose here."""
    names = {file.filename: file for file in sorted(files, key=lambda file: file.filename)}
    wheels = preferred(names, sys.version_info[:2]) or [name for name in names if name.endswith(".whl")]
    return [names[name] for name in [*wheels[:1], *[name for name in names if name.endswith(".tar.gz")][:1]]]


def fetch(file: Listed, folder: Path, seconds: float) -> Distribution:
    """Bring a listed file into a folder and read it. Raises IndexDown when it arrives damaged, or does not arrive."""
    path = folder / Path(file.filename).name
    data = download(file, seconds)
    if file.sha256 and sha256(data) != file.sha256:
        raise IndexDown(f"{file.filename} arrived damaged")
    path.write_bytes(data)
    return read(path)
