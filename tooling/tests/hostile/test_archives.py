"""Archives that ask for endless memory or time: each is refused, and the file is named."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.package import archive
from labhandbook.package.archive import ENTRIES, is_tar
from labhandbook.package.distribution import read
from labhandbook.release.reproducible_sdist import normalise_sdist, unpack

SDIST, WHEEL = "demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl"
MIB = b"\0" * (1 << 20)


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """The record that begins an entry."""
    entry = tarfile.TarInfo(f"demo-1.0/{name}")
    entry.size, entry.type, entry.linkname = size, kind, link
    return entry.tobuf(tarfile.USTAR_FORMAT)


def endless_header(kind: bytes) -> Iterator[bytes]:
    """A header of half a gigabyte: a name, or fields of a later format."""
    yield header("x", 512 << 20, kind)
    yield from (MIB for _ in range(512))


def chain(_: None) -> Iterator[bytes]:
    """Headers of headers of headers."""
    fields = b"20 comment=xxxxxxxx\n"
    yield (header("x", len(fields), tarfile.XHDTYPE) + fields.ljust(512, b"\0")) * 5_000
    yield header("PKG-INFO")


def heavy_headers(_: None) -> Iterator[bytes]:
    """Two thousand fields for all entries, which each entry would hold."""
    fields = b"".join(b"%d x%05d=ab\n" % (13, number) for number in range(4_000))
    yield header("x", len(fields), tarfile.XGLTYPE) + fields.ljust(-(-len(fields) // 512) * 512, b"\0")
    yield from (header(f"{number}") for number in range(1_000))


def many(_: None) -> Iterator[bytes]:
    """More entries than a package has."""
    return (header(f"{number}") for number in range(3_000))


def back_and_forth(_: None) -> Iterator[bytes]:
    """Hard links to a large file at the front: each would unpack it again."""
    yield header("large", 64 << 20)
    yield from (MIB for _ in range(64))
    yield from (header(f"{number}", kind=tarfile.LNKTYPE, link="demo-1.0/large") for number in range(500))


def sparse(_: None) -> Iterator[bytes]:
    """A list of a sparse file's holes that goes on and on."""
    begin = bytearray(header("x", 1 << 20, tarfile.GNUTYPE_SPARSE))
    begin[257:265] = b"ustar  \0"
    begin[482] = 1
    begin[148:156] = b"%06o\0 " % (sum(begin[:148]) + 8 * 32 + sum(begin[156:]))
    yield bytes(begin)
    block = bytearray(512)
    block[504] = 1
    yield bytes(block) * 200_000


@pytest.mark.parametrize(("make", "kind", "says"), [
    (endless_header, tarfile.XHDTYPE, "headers"), (endless_header, tarfile.XGLTYPE, "headers"),
    (endless_header, tarfile.GNUTYPE_LONGNAME, "headers"), (chain, None, ""), (heavy_headers, None, "headers"),
    (many, None, "entries"), (back_and_forth, None, "unpacks to more"), (sparse, None, "headers"),
], ids=["header", "global header", "long name", "chain of headers", "heavy headers", "many entries", "back and forth",
        "sparse"])
def test_a_tar_archive_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: bytes | None,
                                              make: Callable[..., Iterator[bytes]], says: str) -> None:
    monkeypatch.setattr(archive, "ENTRIES", 2_000)
    path = tmp_path / SDIST
    with gzip.open(path, "wb", compresslevel=1) as packed:
        for part in make(kind):
            packed.write(part)
        packed.write(b"\0" * 1024)
    with pytest.raises(HandbookError, match="can't be read") as caught:
        read(path)
    assert says in caught.value.what and SDIST in caught.value.what
    with pytest.raises(HandbookError):
        unpack(path, tmp_path / "unpacked")


def test_hard_links_are_resolved_without_a_search(tmp_path: Path) -> None:
    """tarfile compares each link with all entries before it: 20,000 links would take hours."""
    path = tmp_path / SDIST
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(header("PKG-INFO", 5) + b"Name:".ljust(512, b"\0"))
        for number in range(20_000):
            packed.write(header(f"{number}", kind=tarfile.LNKTYPE,
                                link=f"demo-1.0/{number - 1}" if number else "demo-1.0/PKG-INFO"))
        packed.write(b"\0" * 1024)
    found = read(path)
    assert found.content("19999") == b"Name:" and len(found.files) == 20_001


def test_a_gzip_bomb_is_not_written_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "UNPACKED", 8 << 20)
    path = tmp_path / SDIST
    with gzip.open(path, "wb") as packed:
        for _ in range(20):
            packed.write(MIB)
    with pytest.raises(HandbookError, match="unpacks to more"):
        normalise_sdist(path, tmp_path / "normal.tar.gz", 0)


def test_a_directory_of_too_many_records_is_refused_before_it_is_read(tmp_path: Path) -> None:
    records = [struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0)
               + b"%07d" % number for number in range(ENTRIES + 10)]
    directory = b"".join(records)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, len(directory), 0, 0)
    (tmp_path / WHEEL).write_bytes(directory + end)
    with pytest.raises(HandbookError, match=f"more than {ENTRIES} entries"):
        read(tmp_path / WHEEL)


@pytest.mark.parametrize("damage", [0, 40])
def test_lzma_is_refused_since_its_reader_takes_the_memory_that_a_file_names(tmp_path: Path, damage: int) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("demo/__init__.py", "x = 1\n" * 100)
    data = bytearray(held.getvalue())
    data[damage:damage + 1 if damage else 0] = b"\xff" if damage else b""
    (tmp_path / WHEEL).write_bytes(data)
    with pytest.raises(HandbookError, match="compressed in a way"):
        read(tmp_path / WHEEL)


@pytest.mark.parametrize("name", [SDIST, WHEEL, "demo-1.0.zip"])
def test_a_pipe_in_place_of_an_archive_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(HandbookError, match="not a regular file"):
        read(tmp_path / name)


def test_tar_archives_of_every_packing_are_known(tmp_path: Path) -> None:
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        with tarfile.open(tmp_path / "a", mode) as packed:
            packed.addfile(tarfile.TarInfo("x"))
        assert is_tar(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"text\n" * 1000)
    assert not is_tar(tmp_path / "a")
