"""The entries of zip and tar archives, read within limits and without writing any of them to disk."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

CHUNK = 1 << 20
KEEP = 16 << 20  # An entry up to this size keeps its content in memory,
KEEP_ALL = 256 << 20  # as long as all of them stay below this.
ENTRIES = 100_000
UNPACKED = 2 << 30

# What a damaged archive makes the readers raise.
BROKEN = (OSError, EOFError, ValueError, ArithmeticError, RuntimeError, LookupError, zlib.error, lzma.LZMAError,
          struct.error, tarfile.TarError, zipfile.BadZipFile)
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
HEADER = 64 << 10  # bytes of one header of a tar archive,
HEADERS = 1_000  # and parts of the headers of one entry


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
    with regular(path) as stream:
        yield from _entries(stream, path.name)


def whole(path: Path) -> tuple[str, int, list[Entry]]:
    """The sha256 of an archive, its size and its entries; it is opened once. Raises as `entries` does."""
    found, size = hashlib.sha256(), 0
    with regular(path) as stream:
        while chunk := stream.read(CHUNK):
            found.update(chunk)
            size += len(chunk)
        stream.seek(0)
        return found.hexdigest(), size, list(_entries(stream, path.name))


def _entries(stream: IO[bytes], name: str) -> Iterator[Entry]:
    return _tar(stream) if name.endswith(".tar.gz") else _zip(stream)


class _Limits:
    """Stops the reading of an archive that unpacks to too much."""

    def __init__(self) -> None:
        self.entries = self.bytes = self.held = 0

    def take(self, stream: IO[bytes]) -> tuple[int, str, bytes | None]:
        """Size and hash of one entry, and its bytes where they can be held."""
        found, size, kept = hashlib.sha256(), 0, b""
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            self.add(len(chunk))
            found.update(chunk)
            if size <= KEEP:
                kept += chunk
        if size > KEEP or self.held + size > KEEP_ALL:
            return size, found.hexdigest(), None
        self.held += size
        return size, found.hexdigest(), kept

    def add(self, size: int) -> None:
        """More bytes."""
        self.bytes += size
        if self.bytes > UNPACKED:
            raise ValueError(f"it unpacks to more than {UNPACKED >> 30} GiB")

    def count(self) -> None:
        """One more entry."""
        self.entries += 1
        if self.entries > ENTRIES:
            raise ValueError(f"it has more than {ENTRIES} entries")


class _Metered(io.RawIOBase):
    """An unpacked tar stream that stops what would not end: headers of any size, and going back again and again."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._moved = 0
        self.headers = 0  # reads since the last entry
        self.content = False  # whether an entry's content is read, not its headers

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The place in the unpacked stream."""
        return int(self._stream.tell())

    def read(self, size: int = -1) -> bytes:
        """Some bytes. Raises ValueError beyond the limits."""
        self.headers += not self.content
        if not 0 <= size <= (CHUNK if self.content else HEADER) or self.headers > HEADERS:
            raise ValueError("an entry's headers are larger than any tool writes")
        return self._count(self._stream.read(size))

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place; a compressed stream is read again for every step back."""
        before = self._stream.tell()
        after = int(self._stream.seek(place, whence))
        self._moved += after - before if after >= before else after
        self._count(b"")
        return after

    def _count(self, data: bytes) -> bytes:
        self._moved += len(data)
        if self._moved > 2 * UNPACKED:
            raise ValueError(f"it unpacks to more than {UNPACKED >> 30} GiB")
        return data


class _Tar(tarfile.TarFile):
    """A tar archive whose entries are counted while they are read."""

    entries = extra = 0

    @property
    def metered(self) -> _Metered:
        """The stream below."""
        assert isinstance(self.fileobj, _Metered)
        return self.fileobj

    def next(self) -> tarfile.TarInfo | None:
        """The next entry. Raises ValueError when there are too many, or too many headers."""
        self.metered.headers = 0
        info = super().next()
        if info is not None:
            self.entries += 1
            self.extra += len(info.pax_headers)
            if self.entries > ENTRIES + 1:
                raise ValueError(f"it has more than {ENTRIES} entries")
            if self.extra > 10 * ENTRIES:
                raise ValueError("its entries have more headers than any tool writes")
        return info


@contextlib.contextmanager
def open_tar(path: Path) -> Iterator[_Tar]:
    """A gzipped tar archive, read within limits. Raises one of BROKEN, also while it is read."""
    with regular(path) as stream, _unpacked(stream) as archive:
        yield archive


@contextlib.contextmanager
def _unpacked(stream: IO[bytes]) -> Iterator[_Tar]:
    with gzip.GzipFile(fileobj=stream) as unpacked, _Tar(fileobj=_Metered(unpacked), mode="r") as archive:
        yield archive


def is_tar(path: Path) -> bool:
    """Whether a file begins as a tar archive, packed in any way."""
    openers: tuple[Callable[[IO[bytes]], Any], ...] = (
        lambda stream: stream, lambda stream: gzip.GzipFile(fileobj=stream), bz2.BZ2File, lzma.LZMAFile)
    with regular(path) as stream:
        for opener in openers:
            stream.seek(0)
            with contextlib.suppress(*BROKEN):
                _Tar(fileobj=_Metered(opener(stream)), mode="r").close()
                return True
    return False


@contextlib.contextmanager
def regular(path: Path) -> Iterator[IO[bytes]]:
    """A regular file, opened to be read: opening a pipe would wait for its other end. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(f"{path.name} is not a regular file")
        yield stream


def open_zip(stream: IO[bytes]) -> zipfile.ZipFile:
    """A zip archive within limits. Raises one of BROKEN when it is damaged or has too many entries."""
    # zipfile reads the whole directory at once, so its records are counted before.
    count, rest = 0, b""
    while chunk := stream.read(CHUNK):
        count += (rest + chunk).count(b"PK\x01\x02")
        rest = chunk[-3:]
    if count > ENTRIES:
        raise ValueError(f"it has more than {ENTRIES} entries")
    return zipfile.ZipFile(stream)


def _zip(packed: IO[bytes]) -> Iterator[Entry]:
    limits = _Limits()
    with open_zip(packed) as archive:
        for info in archive.infolist():
            limits.count()
            if info.is_dir():
                yield Entry(info.filename)
                continue
            if info.compress_type not in PACKED:
                # LZMA's records say how much memory their reader has to take: up to 4 GiB.
                raise ValueError(f"{info.filename!r} is compressed in a way that PyPI doesn't take")
            with archive.open(info) as stream:
                size, found, data = limits.take(stream)
            mode = info.external_attr >> 16  # 0 where the tool that wrote it left it out
            yield Entry(info.filename, size, found, mode & 0o777 if mode else 0o644, data)


def _tar(packed: IO[bytes]) -> Iterator[Entry]:
    limits = _Limits()
    files: dict[str, Entry] = {}
    with _unpacked(packed) as archive:
        for info in archive:
            limits.count()
            if info.islnk():
                # A hard link comes after its file. To read that again would unpack all of the archive once more.
                file = files[posixpath.normpath(info.linkname)]
                limits.add(file.size)
                files[posixpath.normpath(info.name)] = linked = replace(file, name=info.name, mode=info.mode & 0o777)
                yield linked
                continue
            stream = archive.extractfile(info) if info.isfile() else None
            if stream is None:
                target = info.linkname.encode(errors="surrogateescape") if info.issym() else b""
                yield Entry(info.name, 0, hashlib.sha256(target).hexdigest() if target else "", info.mode & 0o777)
                continue
            archive.metered.content = True
            size, found, data = limits.take(stream)
            archive.metered.content = False
            files[posixpath.normpath(info.name)] = entry = Entry(info.name, size, found, info.mode & 0o777, data)
            yield entry
