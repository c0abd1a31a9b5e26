"""The files of a local package index, kept on disk by PyPI's rules.

A file is never overwritten, a file name that was used once stays used after deletion, and an upload shows on the
simple index only after a lag. The store survives a killed process: a file that has no entry was never accepted.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.package.archive import BROKEN
from labhandbook.package.project import normalise

Fields = Mapping[str, list[str]]
HELP = "See /help/#file-name-reuse for more information."


class Refused(Exception):
    """The index doesn't take an upload; the message is what it answers, as PyPI words it."""

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
    size: int
    requires_python: str
    metadata: str
    uploaded: float
    yanked: str = ""
    deleted: bool = False


def _read(listing: Path) -> dict[str, Stored]:
    """The files that an index lists. Raises HandbookError when something else wrote the listing."""
    try:
        data = untrusted_data.json_data(untrusted_data.text(listing), listing.name)["files"]
        found = [Stored(**entry) for entry in data]
        if not all(isinstance(each.filename, str) and Path(each.filename).name == each.filename for each in found):
            raise ValueError("a file has no plain name")
    except (HandbookError, ValueError, TypeError, KeyError) as error:
        raise HandbookError(f"the index of the rehearsal can't be read: {error}", where=str(listing),
                            why="it says which files were uploaded to it", section="sec-pypi-build",
                            todo="restore it, or move its folder away to rehearse again") from None
    return {each.filename: each for each in found}


class Store:
    """The folder of an index: `files/` and `index.json`, which is replaced whole after every change."""

    def __init__(self, folder: Path, lag: float = 0.0) -> None:
        self.folder = folder
        self.lag = lag
        self._lock = threading.RLock()
        self._entries: dict[str, Stored] = {}
        (folder / "files").mkdir(parents=True, exist_ok=True)
        if (listing := folder / "index.json").exists():
            self._entries = _read(listing)

    def path(self, filename: str) -> Path:
        """Where the bytes of a file lie."""
        return self.folder / "files" / filename

    def find(self, filename: str) -> Stored | None:
        """The entry of a file that was not deleted."""
        entry = self._entries.get(filename)
        return None if entry is None or entry.deleted else entry

    def files(self, project: str, *, lagging: bool = False) -> list[Stored]:
        """The files of a project, without those the simple index doesn't show yet when `lagging` is set."""
        limit = time.time() - self.lag if lagging else float("inf")
        with self._lock:
            return sorted((entry for entry in self._entries.values() if entry.project == normalise(project)
                           and not entry.deleted and entry.uploaded <= limit), key=lambda entry: entry.filename)

    def projects(self) -> list[str]:
        """The names of the projects that have files."""
        return sorted({entry.project for entry in self._entries.values() if not entry.deleted})

    def add(self, fields: Fields, filename: str, content: bytes) -> None:
        """Take an upload. Raises Refused where PyPI does."""
        digest = check_upload(fields, filename, content)
        with self._lock:
            entry = self._entries.get(filename)
            if entry is not None and entry.deleted:
                raise Refused(400, f"This filename has already been used, use a different version. {HELP}")
            if entry is not None and entry.sha256 == digest:
                return
            if entry is not None:
                blake = hashlib.blake2b(content, digest_size=32).hexdigest()
                raise Refused(400, f"File already exists ({filename!r}, with blake2_256 hash {blake!r}). {HELP}")
            write_atomic(self.path(filename), content)
            metadata = wheel_metadata(content) if filename.endswith(".whl") else b""
            if metadata:
                write_atomic(self.path(filename + ".metadata"), metadata)
            self._entries[filename] = Stored(
                filename, normalise(fields["name"][0]), fields["version"][0], digest, len(content),
                fields.get("requires_python", [""])[0], hashlib.sha256(metadata).hexdigest() if metadata else "",
                time.time())
            self._save()

    def yank(self, filename: str, reason: str) -> None:
        """Hide a file from installers that don't ask for exactly its version (PEP 592)."""
        with self._lock:
            self._entries[filename].yanked = reason
            self._save()

    def delete(self, filename: str) -> None:
        """Remove a file; its name stays used."""
        with self._lock:
            self._entries[filename].deleted = True
            self.path(filename).unlink()
            self._save()

    def forget(self, hashes: Mapping[str, str]) -> None:
        """Forget these files where their bytes are others than `hashes` says. No real index does this."""
        with self._lock:
            for filename, digest in hashes.items():
                entry = self._entries.get(filename)
                if entry and (entry.deleted or entry.sha256 != digest):
                    del self._entries[filename]
            self._save()

    def swap(self, filename: str, content: bytes, *, announce: bool) -> None:
        """Put other bytes in a file's place, as a broken or hostile server would; `announce` changes its hash too."""
        with self._lock:
            self.path(filename).write_bytes(content)
            if announce:
                self._entries[filename].sha256 = hashlib.sha256(content).hexdigest()
                self._save()

    def _save(self) -> None:
        entries = [asdict(entry) for entry in self._entries.values()]
        write_atomic(self.folder / "index.json", json.dumps({"files": entries}, indent=1) + "\n")


def check_upload(fields: Fields, filename: str, content: bytes) -> str:
    """The sha256 of an upload that PyPI would look at. Raises Refused where its form is wrong."""
    if fields.get(":action") != ["file_upload"]:
        raise Refused(400, "Invalid or missing :action")
    if fields.get("protocol_version") != ["1"]:
        raise Refused(400, "Unknown protocol version.")
    for name in ("name", "version", "filetype", "metadata_version"):
        if len(fields.get(name, [])) != 1:
            raise Refused(400, f"Invalid value for {name}. Error: This field is required.")
    digest = hashlib.sha256(content).hexdigest()
    if fields.get("sha256_digest", [digest])[0].lower() != digest:
        raise Refused(400, "The digest supplied does not match a digest calculated from the uploaded file.")
    check_names(fields, filename)
    for requirement in fields.get("requires_dist", []):
        if "@" in requirement.split(";")[0]:
            raise Refused(400, f"Can't have direct dependency: {requirement}. See the core metadata specification.")
    return digest


def check_names(fields: Fields, filename: str) -> None:
    """Raises Refused when version or file name are none that PyPI takes, or disagree with each other."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    try:
        version = Version(fields["version"][0])
        parsed = (parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename)(filename)
    except (InvalidVersion, InvalidSdistFilename, InvalidWheelFilename) as error:
        raise Refused(400, f"Invalid filename or version: {error}") from None
    if version.local:
        raise Refused(400, f"The use of local versions in <Version({str(version)!r})> is not allowed.")
    if parsed[0] != normalise(fields["name"][0]) or parsed[1] != version:
        raise Refused(400, f"Filename {filename!r} does not match project {fields['name'][0]!r} {version}.")


def wheel_metadata(content: bytes) -> bytes:
    """METADATA out of a wheel. Raises Refused when it is no wheel."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            return wheel.read(name)
    except (*BROKEN, StopIteration):
        raise Refused(400, "Invalid distribution file.") from None
