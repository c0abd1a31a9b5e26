"""The sdist that a recipe builds from, as it was published, and the wheel that its own build makes."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from packaging.version import InvalidVersion, Version

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import TimeoutExpired, run
from labhandbook.package.distribution import EXTENSIONS, Distribution, read
from labhandbook.package.index_addresses import Index, index
from labhandbook.package.machine import installer_env
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import IndexDown, Listed, download, get, listing, release_of, sha256
from labhandbook.recipe.build_machine import uv
from labhandbook.recipe.conda_forge_names import conda_name
from labhandbook.recipe.requirement_specs import parse

SECTION = "sec-conda-forge-generate"
SECONDS = 120  # for a build in whose place a published wheel can be read; a large compiled package takes longer
LARGE = 20 << 20  # bytes of a wheel that is fetched only for the names of its modules
# What a build says of an extension module that it tries to make, and leaves out when that fails.
TRIED = re.compile(r"^\s*building '[\w.]+' extension|failed to build.* extension|falling back to (pure|python)",
                   re.IGNORECASE | re.MULTILINE)


@dataclass
class Source:
    """A released version: its sdist, a wheel of it, and the index that has or will have it.

    `doubt` says why the wheel is a published one, and not one that was built from the sdist; `log` is what the build
    said.
    """

    sdist: Distribution
    wheel: Distribution
    place: Index
    doubt: str = ""
    log: str = ""

    @property
    def optional(self) -> bool:
        """Whether the build here tried to make an extension module, and went on without it."""
        return self.wheel.pure and bool(TRIED.search(self.log))

    @property
    def compiled(self) -> bool:
        """Whether the sdist's own build makes files for one system, extension modules that are optional included."""
        return bool(not self.wheel.pure or self.optional or
                    any(path.endswith(EXTENSIONS) for path in self.wheel.installed))

    @property
    def url(self) -> str:
        """PyPI's lasting address of the sdist, with the version as `{version}`."""
        name, version = self.sdist.file_parts
        file = self.sdist.file.replace(f"{name}-{version}", f"{name}-{{version}}", 1)
        project = normalise(self.sdist.name)
        return f"{self.place.public}/packages/source/{project[0]}/{project}/{file}"


def fetch(wanted: str, folder: Path, target: str = "pypi", *, build: bool = True) -> Source:
    """The version that a user means by `NAME`, `NAME==VERSION` or the path of an sdist; files go to `folder`.

    Without `build` a published wheel is read where there is one: enough for metadata. Raises HandbookError when there
    is no such project, version or sdist, or the index can't be read.
    """
    place = index(target)
    if wanted.endswith((".tar.gz", ".zip", ".whl")) or "/" in wanted:
        return _local(sdist_in(Path(wanted)), folder, place)
    name, _, version = wanted.partition("==")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name):
        raise HandbookError(f"{name!r} is not a project name", why="names have letters, digits, dots and hyphens",
                            todo="give NAME, NAME==VERSION or the path of an sdist", section=SECTION)
    files = ask(place, name)
    if not files:
        raise HandbookError(f"{place.label} has no project {name}", why="a recipe starts from a published release",
                            todo="check the spelling, publish it first, or give the path of its sdist",
                            section=SECTION)
    # A file whose version is broken, as in demo-0.2.0dev-20120903.tar.gz, seems to be another project's.
    sdists = {found: file for file in files.values() if (found := sdist_version(file.filename, name)) is not None}
    if not sdists:
        raise HandbookError(f"{name} has no sdist on {place.label}",
                            why="conda-forge builds from source, and a wheel is no source",
                            todo="ask its authors to publish the sdist, as python -m build makes it", section=SECTION)
    if version:
        newest = max(sdists)
        with contextlib.suppress(InvalidVersion):
            version = str(Version(version))
        sdists = {found: file for found, file in sdists.items() if str(found) == version}
        if not sdists:
            raise HandbookError(f"{name} {version} has no sdist on {place.label}",
                                why=f"the newest that has one is {newest}",
                                todo=f"name one that has: handbook recipe new {name}=={newest}", section=SECTION)
    good = {found: file for found, file in sdists.items() if file.yanked is None} or sdists
    best = max({found for found in good if not found.is_prerelease} or good)
    sdist = keep(good[best], folder)
    published = _published(sdist, files)
    if not build and published:
        return Source(sdist, keep(published, folder), place)
    try:
        wheel, log = build_wheel(sdist, folder, SECONDS if published else 600)
    except HandbookError as error:
        if not published:
            raise
        said = error.why.splitlines() or [error.what]
        reason = next((line for line in reversed(said) if re.search("error", line, re.IGNORECASE)
                       and "non-zero exit" not in line), said[-1]).strip()
        return Source(sdist, keep(published, folder), place,
                      f"the sdist can't be built here ({reason}), so modules, entry points and whether it is "
                      f"compiled are read from {published.filename} on {place.label}: check them")
    return Source(sdist, wheel, place, log=log)


def sdist_in(path: Path, project: str = "") -> Path:
    """The sdist that a user means by a file, a wheel beside it, or a folder, there of a project if that is given.

    Raises HandbookError when a folder holds none or several.
    """
    if path.suffix == ".whl":
        beside = path.with_name("-".join(path.name.split("-")[:2]) + ".tar.gz")
        found, what = [beside] if beside.is_file() else [], beside.name
    elif path.is_dir():
        found = [file for file in sorted(path.glob("*.tar.gz"))
                 if not project or normalise(file.name.rpartition("-")[0]) == normalise(project)]
        what = f"sdists of {project}" if project else "sdists"
    else:
        return path
    if len(found) != 1:
        folder = path.parent if path.suffix == ".whl" else path
        raise HandbookError(f"{folder} holds {len(found) or 'no'} {what}", why="conda-forge builds from an sdist",
                            todo="give the path of the .tar.gz", section=SECTION)
    return found[0]


def _local(path: Path, folder: Path, place: Index) -> Source:
    """An sdist of this machine, with the wheel beside it, else one built of it."""
    if not path.is_file():
        raise HandbookError(f"there is no file {path}", todo="give the path of an sdist, or a project's name",
                            section=SECTION)
    sdist = read(path)
    try:
        published = listing(place, sdist.name).get(path.name)
    except (IndexDown, HandbookError):  # The check of the address reports it.
        published = None
    if published and published.sha256 and published.sha256 != sdist.sha256:
        raise HandbookError(f"{path.name} is not the file on {place.label}", where=str(path),
                            why=f"its sha256 begins with {sdist.sha256[:12]}, the published one's with "
                                f"{published.sha256[:12]}; conda-forge would refuse the recipe",
                            todo=f"use the published one: handbook recipe new {sdist.name}=={sdist.version}",
                            section=SECTION)
    beside = sorted(file for file in path.parent.glob("*.whl") if _is_wheel_of(file.name, sdist))
    wheel, log = (read(beside[0]), "") if beside else build_wheel(sdist, folder)
    return Source(sdist, wheel, place, log=log)


def ask(place: Index, name: str) -> dict[str, Listed]:
    """The files of a project. Raises HandbookError when the index gives no answer."""
    try:
        return listing(place, name)
    except IndexDown as error:
        raise HandbookError(f"{place.label} can't be asked for {name}: {error}",
                            todo="check the network and try again", section=SECTION) from None


def keep(file: Listed, folder: Path) -> Distribution:
    """Download a file into a folder and read it; its hash is the one that the index names.

    Raises HandbookError when the download fails or is another file.
    """
    try:
        data = download(file)
    except IndexDown as error:
        raise HandbookError(f"{file.filename} can't be downloaded: {error}",
                            why="the recipe is made from what is in it", todo="try again later",
                            section=SECTION) from None
    if file.sha256 and sha256(data) != file.sha256:
        raise HandbookError(f"{file.filename} arrived with another sha256 than its index names",
                            todo="try again; if it happens again, write to the index's administrators",
                            section=SECTION)
    path = folder / file.filename
    path.write_bytes(data)
    return read(path)


def modules_of(place: Index, project: str) -> set[str]:
    """The names by which a project's newest wheel is imported; none where the index has none, or a large one."""
    try:
        answer = get(place.json(project), 10)
        wheels = [(one["size"], one["filename"], urljoin(answer[2], one["url"]), one["digests"]["sha256"])
                  for one in json.loads(answer[1])["urls"] if one["filename"].endswith(".whl")] if answer else []
        size, *file = min(wheels)
        with tempfile.TemporaryDirectory() as folder:
            found = keep(Listed(*file), Path(folder)).modules if size < LARGE else {}
            return {name for name in found if "." not in name}
    except (IndexDown, HandbookError, ValueError, KeyError, TypeError):
        return set()


def brings(place: Index, project: str, extras: Sequence[str]) -> list[str]:
    """conda-forge's names of what extras of a project require today; none where the index does not say."""
    try:
        answer = get(place.json(project), 10)
        listed = json.loads(answer[1])["info"]["requires_dist"] if answer else []
    except (IndexDown, HandbookError, ValueError, KeyError, TypeError):
        return []
    found = []
    for text in listed or []:
        one = parse(str(text))
        if one and one.marker and any(one.marker.evaluate({"extra": extra}) for extra in extras) and (
                not one.marker.evaluate({"extra": ""})):
            found.append(conda_name(one.name))
    return list(dict.fromkeys(found))


def sdist_version(filename: str, project: str = "") -> Version | None:
    """The version of an sdist by its name, None for other files and, with `project`, for those of other projects."""
    found = None if filename.endswith(".whl") else release_of(filename)
    return found[1] if found and (not project or found[0] == normalise(project)) else None


def _published(sdist: Distribution, files: dict[str, Listed]) -> Listed | None:
    """The published wheel of the same version: one for Linux, else for another system, else for all."""
    fitting = [file for file in files.values() if _is_wheel_of(file.filename, sdist)]
    return next((file for mark in ("manylinux", "linux", "macosx", "win", "-none-any.whl") for file in fitting
                 if mark in file.filename), None)


def _is_wheel_of(filename: str, sdist: Distribution) -> bool:
    found = release_of(filename) if filename.endswith(".whl") else None
    return found is not None and found == release_of(sdist.file)


def build_wheel(sdist: Distribution, folder: Path, seconds: int = 600) -> tuple[Distribution, str]:
    """Build the wheel of an sdist; the wheel, and what the build said.

    Raises HandbookError when that fails: without a wheel its modules and dependencies aren't known.
    """
    with tempfile.TemporaryDirectory(dir=folder) as name:
        try:
            done = run([uv(), "build", "--wheel", "--out-dir", name, str(sdist.path.resolve())], cwd=name,
                       timeout=seconds, env=installer_env())
            said = done.stderr.strip()
        except TimeoutExpired:
            said = f"it took longer than {seconds} s"
        built = next(Path(name).glob("*.whl"), None)
        if built is None:
            # uv's own words come last, after those of the backend.
            words, *own = re.split(r"^\s*(?=(?:error:|×) Failed|hint:)", said, flags=re.MULTILINE)
            lines = [line for line in words.splitlines() if line.strip()
                     and not re.match(r"Traceback|Building wheel| ", line)]
            lines = lines or "".join(own[:1]).strip().splitlines()
            raise HandbookError(f"no wheel can be built from {sdist.file}", why="\n".join(lines[-6:]),
                                todo="correct the package until python -m build works", section=SECTION)
        return read(built.replace(folder / built.name)), f"{done.stdout}\n{said}"
