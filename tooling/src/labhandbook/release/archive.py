"""The entries of zip and tar archives, read within limits and without writing any of them to disk."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
KEEP = 16 << 20  # An entry up to this size keeps its content in memory,
KEEP_ALL = 256 << 20  # as long as all of them stay below this.
ENTRIES = 100_000
UNPACKED = 2 << 30

# What a damaged archive makes the readers raise.
BROKEN = (OSError, EOFError, ValueError, RuntimeError, KeyError, zlib.error, tarfile.TarError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Entry:
    """One entry, named as in the archive; `sha256` is empty for a folder, `data` None for a large file."""

    name: str
    size: int = 0
    sha256: str = ""
    mode: int = 0o755
    data: bytes | None = None


def entries(path: Path) -> Iterator[Entry]:
    """The entries of an archive in their order. Raises one of BROKEN when it is damaged or larger than the limits."""
    return _tar(path) if path.name.endswith(".tar.gz") else _zip(path)


def digest(path: Path) -> tuple[str, int]:
    """The sha256 of a file, and its size."""
    found, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            found.update(chunk)
            size += len(chunk)
    return found.hexdigest(), size


class _Limits:
    """Stops the reading of an archive that unpacks to too much."""

    def __init__(self) -> None:
        self.entries = self.bytes = self.held = 0

    def take(self, stream: IO[bytes]) -> tuple[int, str, bytes | None]:
        """Size and hash of one entry, and its bytes where they can be held."""
        found, size, kept = hashlib.sha256(), 0, b""
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            self.bytes += len(chunk)
            if self.bytes > UNPACKED:
                raise ValueError(f"it unpacks to more than {UNPACKED >> 30} GiB")
            found.update(chunk)
            if size <= KEEP:
                kept += chunk
        if size > KEEP or self.held + size > KEEP_ALL:
            return size, found.hexdigest(), None
        self.held += size
        return size, found.hexdigest(), kept

    def count(self) -> None:
        """One more entry."""
        self.entries += 1
        if self.entries > ENTRIES:
            raise ValueError(f"it has more than {ENTRIES} entries")


def _zip(path: Path) -> Iterator[Entry]:
    limits = _Limits()
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            limits.count()
            if info.is_dir():
                yield Entry(info.filename)
                continue
            with archive.open(info) as stream:
                size, found, data = limits.take(stream)
            yield Entry(info.filename, size, found, info.external_attr >> 16 & 0o777, data)


def _tar(path: Path) -> Iterator[Entry]:
    limits = _Limits()
    with tarfile.open(path, "r:gz") as archive:
        for info in archive:
            limits.count()
            stream = archive.extractfile(info) if info.isfile() or info.islnk() else None
            if stream is None:
                link = hashlib.sha256(info.linkname.encode()).hexdigest() if info.issym() else ""
                yield Entry(info.name, 0, link, info.mode & 0o777)
                continue
            size, found, data = limits.take(stream)
            yield Entry(info.name, size, found, info.mode & 0o777, data)
