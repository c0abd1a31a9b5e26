"""The files of a local package index, kept on disk by PyPI's rules.

A file is never overwritten. The store survives a killed process: a file without an entry was never accepted.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.package.archive import BROKEN
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import release_of, sha256

Fields = Mapping[str, list[str]]
HELP = "See /help/#file-name-reuse for more information."


class Refused(Exception):
    """The index refuses an upload; the message is its answer, in PyPI's words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Stored:
    """A file on the index. `metadata` is the sha256 of a wheel's METADATA (PEP 658), empty for an sdist."""

    filename: str
    project: str
    version: str
    sha256: str
    requires_python: str
    metadata: str


class Store:
    """The folder of an index: `files/` and `index.json`, which is replaced whole after every change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        (folder / "files").mkdir(parents=True, exist_ok=True)
        self.entries = _read(folder / "index.json") if (folder / "index.json").exists() else {}

    def path(self, filename: str) -> Path:
        """Where the bytes of a file are."""
        return self.folder / "files" / filename

    def files(self, project: str) -> list[Stored]:
        """The files of a project."""
        with self.lock:
            return sorted((entry for entry in self.entries.values() if entry.project == normalise(project)),
                          key=lambda entry: entry.filename)

    def add(self, fields: Fields, filename: str, content: bytes) -> None:
        """Accept an upload. Raises Refused where PyPI refuses it."""
        digest = check_upload(fields, filename, content)
        with self.lock:
            entry = self.entries.get(filename)
            if entry is not None and entry.sha256 == digest:
                return
            if entry is not None:
                blake = hashlib.blake2b(content, digest_size=32).hexdigest()
                raise Refused(400, f"File already exists ({filename!r}, with blake2_256 hash {blake!r}). {HELP}")
            write_atomic(self.path(filename), content)
            metadata = wheel_metadata(content) if filename.endswith(".whl") else b""
            if metadata:
                write_atomic(self.path(filename + ".metadata"), metadata)
            self.entries[filename] = Stored(
                filename, normalise(fields["name"][0]), fields["version"][0], digest,
                fields.get("requires_python", [""])[0], sha256(metadata) if metadata else "")
            self.save()

    def forget(self, hashes: Mapping[str, str]) -> None:
        """Forget these files if their sha256 is not the one in `hashes`. No real index does this."""
        with self.lock:
            for filename, digest in hashes.items():
                if filename in self.entries and self.entries[filename].sha256 != digest:
                    del self.entries[filename]
            self.save()

    def save(self) -> None:
        """Write the list of files."""
        entries = [asdict(entry) for entry in self.entries.values()]
        write_atomic(self.folder / "index.json", json.dumps({"files": entries}, indent=1) + "\n")


def _read(listing: Path) -> dict[str, Stored]:
    """The files that an index lists. Raises HandbookError when the list is not one that `save` wrote."""
    try:
        data = untrusted_data.json_data(untrusted_data.text(listing), listing.name)["files"]
        found = [Stored(**entry) for entry in data]
        if not all(isinstance(each.filename, str) and Path(each.filename).name == each.filename for each in found):
            raise ValueError("a file has no plain name")
    except (HandbookError, ValueError, TypeError, KeyError) as error:
        raise HandbookError(f"the index of the rehearsal can't be read: {error}", where=str(listing),
                            why="it lists the files that were uploaded to it", section="sec-pypi-build",
                            todo="restore it, or move its folder away to rehearse again") from None
    return {each.filename: each for each in found}


def check_upload(fields: Fields, filename: str, content: bytes) -> str:
    """The sha256 of an upload. Raises Refused where PyPI refuses its form."""
    if fields.get(":action") != ["file_upload"]:
        raise Refused(400, "Invalid or missing :action")
    if fields.get("protocol_version") != ["1"]:
        raise Refused(400, "Unknown protocol version.")
    for name in ("name", "version", "filetype", "metadata_version"):
        if len(fields.get(name, [])) != 1:
            raise Refused(400, f"Invalid value for {name}. Error: This field is required.")
    digest = sha256(content)
    if fields.get("sha256_digest", [digest])[0].lower() != digest:
        raise Refused(400, "The digest supplied does not match a digest calculated from the uploaded file.")
    check_names(fields, filename)
    for requirement in fields.get("requires_dist", []):
        if "@" in requirement.split(";")[0]:
            raise Refused(400, f"Can't have direct dependency: {requirement}. See the core metadata specification.")
    return digest


def check_names(fields: Fields, filename: str) -> None:
    """Raises Refused when PyPI does not accept the version or the file name, or when they disagree."""
    from packaging.version import InvalidVersion, Version

    try:
        version = Version(fields["version"][0])
    except InvalidVersion as error:
        raise Refused(400, f"Invalid version: {error}") from None
    found = release_of(filename)
    if found is None:
        raise Refused(400, f"Invalid filename: {filename}")
    if version.local:
        raise Refused(400, f"The use of local versions in <Version({str(version)!r})> is not allowed.")
    if found != (normalise(fields["name"][0]), version):
        raise Refused(400, f"Filename {filename!r} does not match project {fields['name'][0]!r} {version}.")


def wheel_metadata(content: bytes) -> bytes:
    """METADATA of a wheel. Raises Refused when the content is not a wheel."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            return wheel.read(name)
    except (*BROKEN, StopIteration):
        raise Refused(400, "Invalid distribution file.") from None
