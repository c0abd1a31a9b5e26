"""An sdist or a wheel, read from its file without unpacking or running anything."""

from __future__ import annotations

import configparser
import gzip
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.package import archive
from labhandbook.package.public_api import Api


@dataclass(frozen=True)
class Member:
    """A file in a distribution. `path` leaves out the top folder of an sdist; `stored` is the archive's name."""

    path: str
    stored: str
    size: int
    sha256: str
    mode: int


@dataclass(frozen=True)
class Distribution:
    """An sdist or a wheel: its hash and size, its files by path, and its metadata.

    `stored` are the names of all entries as the archive has them, twice where it has them twice.
    """

    path: Path
    kind: str
    sha256: str
    size: int
    root: str
    stored: tuple[str, ...]
    files: dict[str, Member]
    held: dict[str, bytes] = field(repr=False, compare=False)

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.path.name

    @property
    def is_wheel(self) -> bool:
        """Whether this is a wheel."""
        return self.kind == "wheel"

    def content(self, path: str) -> bytes | None:
        """The bytes of a file in it; None where there is no such file, or it is too large to be held."""
        return self.held.get(path)

    def text(self, path: str) -> str:
        """The text of a file in it, empty where there is none."""
        return self.held.get(path, b"").decode("utf-8", "replace")

    @cached_property
    def file_parts(self) -> tuple[str, str]:
        """The project name and version that the file name gives, as written there."""
        stem = self.file.removesuffix(".whl").removesuffix(".zip").removesuffix(".tar.gz")
        if self.is_wheel:
            name, _, rest = stem.partition("-")
            return name, rest.partition("-")[0]
        name, _, version = stem.rpartition("-")
        return name, version

    @cached_property
    def info(self) -> str:
        """The folder with the metadata: `NAME-VERSION.dist-info` in a wheel, the top of an sdist."""
        if not self.is_wheel:
            return ""
        expected = "{}-{}.dist-info".format(*self.file_parts)
        tops = {path.partition("/")[0] for path in self.files if "/" in path}
        found = sorted(top for top in tops if top.endswith(".dist-info"))
        return expected if expected in found or not found else found[0]

    @property
    def metadata_path(self) -> str:
        """The path of the core metadata."""
        return f"{self.info}/METADATA" if self.is_wheel else "PKG-INFO"

    @cached_property
    def parsed(self) -> tuple[dict[str, Any], dict[str, list[str]]]:
        """The core metadata as `packaging` reads them, and the fields that it can't read."""
        from packaging.metadata import parse_email

        raw, unparsed = parse_email(self.held.get(self.metadata_path, b""))
        return dict(raw), unparsed

    @property
    def metadata(self) -> dict[str, Any]:
        """The core metadata, under the names that `packaging.metadata.RawMetadata` uses."""
        return self.parsed[0]

    @property
    def name(self) -> str:
        """The project's name as the metadata write it."""
        return str(self.metadata.get("name") or self.file_parts[0])

    @property
    def version(self) -> str:
        """The version as the metadata write it."""
        return str(self.metadata.get("version") or self.file_parts[1])

    @property
    def requires(self) -> list[str]:
        """The dependencies, those of extras included."""
        return list(self.metadata.get("requires_dist", []))

    @property
    def classifiers(self) -> list[str]:
        """The classifiers."""
        return list(self.metadata.get("classifiers", []))

    @cached_property
    def entry_points(self) -> dict[str, dict[str, str]]:
        """The entry points by group, empty where there are none or they can't be read."""
        folder = self.info if self.is_wheel else next(
            (path.rpartition("/")[0] for path in self.files if path.endswith(".egg-info/entry_points.txt")), "")
        reader = configparser.ConfigParser(delimiters=("=",), interpolation=None)
        reader.optionxform = str  # type: ignore[assignment,method-assign]
        with suppress(configparser.Error, ValueError, AttributeError):
            reader.read_string(self.text(f"{folder}/entry_points.txt"))
        return {group: dict(reader[group]) for group in reader.sections()}

    @cached_property
    def installed(self) -> dict[str, str]:
        """The files that a wheel installs into site-packages, with their paths in the wheel."""
        if not self.is_wheel:
            return {}
        places = {}
        for path in self.files:
            top, _, rest = path.partition("/")
            if top.endswith(".data"):
                where, _, rest = rest.partition("/")
                if where in ("purelib", "platlib"):
                    places[rest] = path
            elif not top.endswith(".dist-info"):
                places[path] = path
        return places

    @cached_property
    def modules(self) -> dict[str, str]:
        """The modules that a wheel makes importable, with the paths of their files in the wheel."""
        modules = {}
        for installed, path in sorted(self.installed.items()):
            name = module_name(installed)
            if name:
                modules[name] = path
        return modules

    @cached_property
    def api(self) -> Api:
        """The modules of a wheel and the names in them."""
        return Api({name: self.text(path) if path in self.held and path.endswith(".py") else None
                    for name, path in self.modules.items()},
                   frozenset(name for name, path in self.modules.items() if path.endswith("/__init__.py")))

    @property
    def licences(self) -> list[str]:
        """The paths of its licence files."""
        stems, place = ("licen", "copying", "notice", "unlicen"), f"{self.info}/" if self.is_wheel else ""
        found = [path for path in self.files if path.startswith(place) and (self.is_wheel or "/" not in path)
                 and (PurePosixPath(path).name.lower().startswith(stems) or path.startswith(f"{place}licenses/"))]
        declared = [path for path in self.metadata.get("license_files", []) if path in self.files]
        return sorted({*found, *declared})

    @property
    def tags(self) -> list[str]:
        """The compatibility tags of a wheel's file name, as `py3-none-any`; none where the name is no wheel's."""
        from packaging.utils import InvalidWheelFilename, parse_wheel_filename

        if not self.is_wheel:
            return []
        try:
            return sorted(str(tag) for tag in parse_wheel_filename(self.file)[3])
        except InvalidWheelFilename:
            return []

    @property
    def pure(self) -> bool:
        """Whether a wheel is tagged for every platform."""
        return self.is_wheel and all(tag.endswith("-none-any") for tag in self.tags)


EXTENSIONS = (".so", ".pyd")


def module_name(path: str) -> str:
    """The dotted name under which Python imports a file of site-packages, or an empty string."""
    parts = PurePosixPath(path)
    stem = parts.name.split(".")[0]
    if parts.suffix not in (".py", *EXTENSIONS) or (parts.suffix == ".py" and parts.name.count(".") > 1):
        return ""
    names = [*parts.parts[:-1], *([] if stem == "__init__" else [stem])]
    return ".".join(names) if names and all(name.isidentifier() for name in names) else ""


def read(path: Path) -> Distribution:
    """Read an sdist or a wheel.

    Raises HandbookError when the file is neither, is damaged, or unpacks to more than the limits.
    """
    if not path.name.endswith((".whl", ".tar.gz", ".zip")):
        raise HandbookError(f"{path} is no sdist and no wheel",
                            todo="give a .tar.gz or a .whl file", section="sec-pypi-build")
    kind = "wheel" if path.name.endswith(".whl") else "sdist"
    held: dict[str, bytes] = {}
    files: dict[str, Member] = {}
    try:
        digest, size, found = archive.whole(path)
    except archive.BROKEN as error:
        raise HandbookError(
            f"{path} can't be read: {_reason(error)}",
            why="no installer can open it either",
            todo="remove it and build again", section="sec-pypi-build",
        ) from None
    stored = tuple(entry.name for entry in found)
    root = "" if kind == "wheel" else _root(stored)
    for entry in found:
        if entry.sha256:
            inside = entry.name.removeprefix("./").removeprefix(root)
            files[inside] = Member(inside, entry.name, entry.size, entry.sha256, entry.mode)
            if entry.data is not None:
                held[inside] = entry.data
    return Distribution(path, kind, digest, size, root.rstrip("/"), stored, files, held)


def absent(file: Distribution, kind: str) -> Distribution:
    """A file of the same release that is not there: an sdist or a wheel without anything in it."""
    name = f"{'-'.join(file.file_parts)}{'-py3-none-any.whl' if kind == 'wheel' else '.tar.gz'}"
    return Distribution(file.path.with_name(name), kind, "", 0, "", (), {}, {})


def _reason(error: Exception) -> str:
    """Why an archive can't be read. Python quotes the first bytes of a file that is not gzip, which says little."""
    return "not a gzip file" if isinstance(error, gzip.BadGzipFile) else str(error) or type(error).__name__


def _root(stored: tuple[str, ...]) -> str:
    """The one top folder of an sdist with its slash; empty where there are several."""
    tops = {name.removeprefix("./").partition("/")[0] for name in stored}
    return f"{tops.pop()}/" if len(tops) == 1 else ""
