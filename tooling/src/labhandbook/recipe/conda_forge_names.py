"""conda-forge's names for PyPI's projects, by the published mapping (parselmouth).

The mapping is asked for where the network allows, at most once a week, and kept in the user's cache. Else the copy in
this package counts. `Names.source` says which one was used and how old it is.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.files import user_cache, write_atomic
from labhandbook.core.http_client import HttpClient, NoAnswer
from labhandbook.core.untrusted_data import content
from labhandbook.package.index_addresses import index
from labhandbook.package.project import normalise
from labhandbook.recipe.conda_forge_facts import facts

PUBLISHED = "https://conda-mapping.prefix.dev/compressed-v0/conda-forge/compressed_mapping.json"
# Replaces the address: a mirror, or a server on this machine.
VARIABLE = "HANDBOOK_CONDA_NAMES"
COPY = "conda_forge_names.txt"
FRESH = datetime.timedelta(days=7)
SECONDS = 10


@dataclass(frozen=True)
class Names:
    """The mapping: each package of conda-forge with the projects that it holds, and where this is from."""

    packages: Mapping[str, tuple[str, ...]]
    source: str

    @cached_property
    def _by_project(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, projects in self.packages.items():
            for project in projects:
                found.setdefault(project, []).append(name)
        return found

    def conda(self, project: str) -> str:
        """conda-forge's name for a project, empty where it has none."""
        plain = normalise(project)
        if preferred := facts()["prefer"].get(plain):
            return str(preferred)
        if found := self._by_project.get(plain):
            return min(found, key=lambda name: self._rank(plain, name))
        return next((name for name in (plain, project.lower()) if name in self.packages), "")

    def _rank(self, project: str, name: str) -> tuple[object, ...]:
        """The smaller, the likelier is a package the project itself, not one of many that contain it."""
        plain = normalise(name)
        usual = (f"python-{project}", f"{project}-python", f"py{project}", f"py-{project}")
        return (plain != project, plain not in usual, len(self.packages[name]) != 1, plain != f"{project}-base",
                name.startswith("_"), len(name), name)

    def pypi(self, package: str) -> str:
        """The project that a package of conda-forge is made of."""
        for project, preferred in facts()["prefer"].items():
            if preferred == package:
                return str(project)
        found = self.packages.get(package, ())
        plain = normalise(package)
        return plain if plain in found or not found else min(found, key=lambda one: (one not in plain, len(one), one))


def conda_name(project: str) -> str:
    """conda-forge's name for a project of PyPI: its own in lower case where conda-forge has none. Dots stay."""
    return names().conda(project) or project.lower().replace("_", "-")


def pypi_name(package: str) -> str:
    """The project of PyPI that a package of conda-forge is made of, its own name where none is known."""
    return names().pypi(package)


@cache
def names() -> Names:
    """The mapping, from the network, the cache or this package."""
    kept = _cache()
    if kept is not None and datetime.datetime.now(datetime.UTC) - kept[1] < FRESH:
        return _cached(kept)
    address = os.environ.get(VARIABLE, "") or ("" if index("pypi").moved else PUBLISHED)
    if address:
        try:
            answer = HttpClient(seconds=SECONDS).ask("GET", address)
            packages = _read(answer.body) if answer.ok else None
        except (NoAnswer, ValueError):
            packages = None
        if packages:
            write_cache(answer.body)
            return Names(packages, "as published today")
    return _cached(kept) if kept is not None else packaged()


def _file() -> Path:
    return user_cache() / "conda-forge-names.json"


def _cache() -> tuple[Mapping[str, tuple[str, ...]], datetime.datetime] | None:
    """The mapping in the cache and when it was fetched; None without one that is newer than this package's."""
    try:
        packages = _read(content(_file()))
        fetched = datetime.datetime.fromtimestamp(_file().stat().st_mtime, datetime.UTC)
    except (HandbookError, OSError, ValueError):
        return None
    return (packages, fetched) if packages and str(fetched.date()) >= packaged().source.split()[-1] else None


def _cached(kept: tuple[Mapping[str, tuple[str, ...]], datetime.datetime]) -> Names:
    return Names(kept[0], f"as published on {kept[1].date()}")


def write_cache(data: bytes) -> None:
    """Keep a mapping for a week, if the cache can be written."""
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        write_atomic(_file(), data)
    except OSError:
        return


def _read(data: bytes) -> dict[str, tuple[str, ...]]:
    """The published form: a package's name with a list of projects, one project, or null. Raises ValueError."""
    held = json.loads(data)
    if not isinstance(held, dict):
        raise ValueError("it is no mapping")
    return {str(name): tuple(normalise(str(one)) for one in ([one_of] if isinstance(one_of, str) else one_of or ()))
            for name, one_of in held.items()}


@cache
def packaged() -> Names:
    """The copy in this package, with the day on which it was taken."""
    packages: dict[str, tuple[str, ...]] = {}
    checked = ""
    for line in Path(__file__).with_name(COPY).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            checked = line.removeprefix("# checked: ") if line.startswith("# checked: ") else checked
            continue
        name, *projects = line.split()
        packages[name] = () if projects == ["-"] else tuple(projects) or (normalise(name),)
    return Names(packages, f"in this package's copy of {checked}")
