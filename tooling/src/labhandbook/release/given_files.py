"""Files of releases that are given by path or address: sdists and wheels that were built elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Findings
from labhandbook.package.distribution import Distribution, read
from labhandbook.package.index_addresses import index
from labhandbook.package.project import PYPROJECT, Project, normalise, read_settings
from labhandbook.package.simple_index import IndexDown, Listed, listing, release_of
from labhandbook.release.inspection import Inspection, look_into, once
from labhandbook.release.previous_release import chosen, fetch, fetch_previous
from labhandbook.release.upload_gate import gate

SECTION = "sec-pypi-files"
PAGE = re.compile(r"(?P<root>.*)/project/(?P<name>[\w.-]+)(?:/(?P<version>[^/]+))?/?")


@dataclass(frozen=True)
class Given:
    """The files of one version of one project, the sdist first."""

    name: str
    version: str
    files: tuple[Distribution, ...]

    @property
    def project(self) -> Project:
        """What the sdist's `pyproject.toml` says; without an sdist only the name is known."""
        root, sdist = self.files[0].path.parent, self.files[0]
        unknown = Project(root, {"project": {"name": self.name}}, "", None)
        text = "" if sdist.is_wheel else sdist.text(PYPROJECT)
        try:
            found = Project(root, untrusted_data.toml(text, PYPROJECT), text, None) if text else unknown
            return replace(found, settings=read_settings(found)) if found.name else unknown
        except HandbookError:
            return replace(unknown, text=text)


def read_all(given: Iterable[str], folder: Path) -> list[Given]:
    """The given files by project and version; what is on an index is brought into `folder`.

    Raises HandbookError when a file can't be read or fetched, or is given twice.
    """
    groups: dict[tuple[str, str], dict[str, Distribution]] = {}
    for text in dict.fromkeys(given):
        for file in fetched(text, folder) if "://" in text else [read(Path(text))]:
            files = groups.setdefault((normalise(file.name), _normal(file.version)), {})
            if files.setdefault(file.file, file).sha256 != file.sha256:
                raise HandbookError(f"two different files are named {file.file}", where=str(file.path),
                                    why="an index takes a file name once", todo="give one of them", section=SECTION)
    return [Given(next(iter(files.values())).name, version, tuple(
                sorted(files.values(), key=lambda file: (file.is_wheel, file.file))))
            for (_, version), files in groups.items()]


def fetched(address: str, folder: Path, seconds: float = 60) -> list[Distribution]:
    """The file at an address, or of a project's page on an index its sdist and the wheel for this machine.

    Raises HandbookError when nothing is there.
    """
    page = PAGE.fullmatch(urldefrag(address)[0])
    try:
        return [fetch(file, folder, seconds) for file in (_listed(page) if page else [_file(address)])]
    except IndexDown as down:
        raise HandbookError(f"{address} can't be fetched: {down}", section=SECTION,
                            todo="check the address in a browser, and try again") from None


def inspect(given: Given, target: str = "none", folder: Path = Path()) -> Inspection:
    """What is in given files, compared with the release before on an index, and what PyPI would refuse of them."""
    project, sdist = given.project, given.files[0]
    previous = fetch_previous(given.name, given.version, target, folder)
    seen = look_into(given.files, project, previous)
    place = sdist.file if sdist.is_wheel else f"{sdist.file}/{PYPROJECT}"
    inside = [found.moved(place) if found.file == PYPROJECT else found for found in seen.findings]
    refused = once(gate(given.files), [file.file for file in given.files])
    return replace(seen, findings=Findings.of([*inside, *refused], seen.findings.rules))


def _listed(page: re.Match[str]) -> Sequence[Listed]:
    place, name = index(page["root"]), page["name"]
    files: dict[str, list[Listed]] = {}
    for file in listing(place, name).values():
        if (found := release_of(file.filename)) and found[0] == normalise(name):
            files.setdefault(str(found[1]), []).append(file)
    if not files:
        raise IndexDown(f"{place.label} lists no files of {name}")
    from packaging.version import Version

    final = [version for version in files if not Version(version).is_prerelease] or list(files)
    version = _normal(page["version"]) if page["version"] else max(final, key=Version)
    if version not in files:
        raise IndexDown(f"{place.label} lists no files of {name} {version}")
    return chosen(files[version])


def _file(address: str) -> Listed:
    plain, fragment = urldefrag(address)
    name = unquote(urlsplit(plain).path.rsplit("/", 1)[-1])
    if not name.endswith((".whl", ".tar.gz")):
        raise HandbookError(f"{address} is no sdist, no wheel and no page of a project", section=SECTION,
                            todo="give the address of a .whl or .tar.gz file, or of .../project/NAME/VERSION/")
    digest = re.search(r"sha256=([0-9a-f]{64})", fragment)
    return Listed(name, plain, digest[1] if digest else "")


def _normal(version: str) -> str:
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(version))
    except InvalidVersion:
        return version
