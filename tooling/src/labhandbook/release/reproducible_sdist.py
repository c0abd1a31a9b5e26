"""Sdists with the same bytes whoever builds them, wherever and whenever."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
from pathlib import Path
from typing import IO

from labhandbook.core.errors import HandbookError
from labhandbook.package import archive


def normalise_sdist(source: Path, target: Path, epoch: int) -> None:
    """Write the sdist `source` to `target` with sorted entries and without traces of the machine that made it.

    Every entry gets the time `epoch`, owner 0 and the mode 644, or 755 for folders and for what is executable; the
    gzip header holds no name and that same time. Hard links become files.

    Raises HandbookError when the sdist is damaged or holds what no sdist may.
    """
    try:
        with tempfile.TemporaryFile() as plain:
            # Sorted reading goes back and forth, which a compressed stream can't without beginning anew.
            with archive.regular(source) as packed, gzip.GzipFile(fileobj=packed) as stream:
                while chunk := stream.read(archive.CHUNK):
                    plain.write(chunk)
                    if plain.tell() > archive.UNPACKED:
                        raise ValueError(f"it unpacks to more than {archive.UNPACKED >> 30} GiB")
            plain.seek(0)
            _rewrite(plain, target, epoch)
    except archive.BROKEN as error:
        raise HandbookError(f"the backend made an sdist that can't be read: {error}", where=source.name,
                            todo="build again; if this comes back, the build backend is broken",
                            section="sec-pypi-build") from None


def _rewrite(source: IO[bytes], target: Path, epoch: int) -> None:
    with tarfile.open(fileobj=source, mode="r:") as given, target.open("wb") as raw, \
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=epoch) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as written:
        for entry in sorted(given.getmembers(), key=lambda entry: entry.name):
            data = given.extractfile(entry) if entry.isfile() or entry.islnk() else None
            content = data.read() if data is not None else b""
            written.addfile(_plain(entry, len(content), epoch), io.BytesIO(content))


def _plain(entry: tarfile.TarInfo, size: int, epoch: int) -> tarfile.TarInfo:
    plain = tarfile.TarInfo(entry.name)
    plain.mtime = epoch
    if entry.isdir():
        plain.type, plain.mode = tarfile.DIRTYPE, 0o755
    elif entry.issym():
        plain.type, plain.linkname, plain.mode = tarfile.SYMTYPE, entry.linkname, 0o777
    elif entry.isfile() or entry.islnk():
        plain.size, plain.mode = size, 0o755 if entry.mode & 0o100 else 0o644
    else:
        raise tarfile.TarError(f"{entry.name} is no file, folder or link")
    return plain


def unpack(sdist: Path, target: Path) -> Path:
    """Unpack an sdist into `target`; the one folder it holds.

    Raises HandbookError when an entry would land outside, or there isn't exactly one folder.
    """
    try:
        for _ in archive.entries(sdist):  # within the limits to the end, before anything is written
            pass
        with tarfile.open(sdist, "r:gz") as packed:
            packed.extractall(target, filter="data")
    except archive.BROKEN as error:
        raise HandbookError(f"the sdist can't be unpacked: {error}", where=sdist.name,
                            why="pip would refuse it too", todo="see what the build backend put into it",
                            section="sec-pypi-build") from None
    folders = list(target.iterdir())
    if len(folders) != 1 or not folders[0].is_dir():
        raise HandbookError(f"the sdist holds {len(folders)} top folders instead of one", where=sdist.name,
                            why="indexes and pip refuse it", todo="see what the build backend put into it",
                            section="sec-pypi-build")
    return folders[0]
