"""Whether a zip archive says the same to a program that reads it from the front and to one that reads its directory.

pip reads the directory at the end; others stream the records from the front. PyPI refuses an archive in which the two
could differ, so this reads both and compares (warehouse `utils/zipfiles.py`; the format is PKWARE's APPNOTE).
"""

from __future__ import annotations

import struct
import zipfile
from collections import Counter
from pathlib import Path
from typing import IO

from labhandbook.package.archive import BROKEN, open_zip, regular

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
END64, LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
FULL = 0xFFFFFFFF
ZIP64, UNICODE_PATH = 0x0001, 0x7075
DESCRIPTOR = 0x08


class _Refused(Exception):
    """What PyPI would say of the archive."""


def problem(path: Path) -> str:
    """Why PyPI would refuse this zip archive, or an empty string."""
    try:
        with regular(path) as stream, open_zip(stream) as archive:
            entries = archive.infolist()
            if odd := [each.filename for each in entries
                       if each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]:
                return f"{odd[0]} is compressed in a way that PyPI doesn't take"
            names = Counter(each.orig_filename for each in entries)
            if again := [name for name, count in names.items() if count > 1]:
                return f"it holds {again[0]!r} twice"
            sizes = {each.orig_filename: (each.compress_size, each.file_size) for each in entries}
            stream.seek(0)
            _walk(stream, sizes)
    except (_Refused, *BROKEN) as error:
        return str(error) or type(error).__name__
    return ""


def _walk(stream: IO[bytes], sizes: dict[str, tuple[int, int]]) -> None:
    """Read the records from the front to the end, and compare them with the directory."""
    front: set[bytes] = set()
    directory: set[bytes] = set()
    began, length = 0, 0
    end: tuple[int, int, int] | None = None
    end64_at, located = -1, False
    while True:
        here = stream.tell()
        signature = _take(stream, 4)
        if signature == LOCAL:
            _add(front, _local(stream, sizes))
        elif signature == CENTRAL:
            began = began or here
            name, size = _central(stream)
            length += size
            if name not in front:
                raise _Refused(f"its directory names {_shown(name)}, which it doesn't hold")
            _add(directory, name)
        elif signature == END64:
            end64_at = here
            size, *_, on_disk, records, directory_size, offset = struct.unpack("<QHHIIQQQQ", _take(stream, 52))
            if size != 44 or on_disk != records:
                raise _Refused("its end is damaged")
            end = records, directory_size, offset
        elif signature == LOCATOR64:
            _, offset, _ = struct.unpack("<IQI", _take(stream, 16))
            located = offset == end64_at
        elif signature == END:
            plain = _end(stream)
            if end64_at >= 0 and not located:
                raise _Refused("its end is damaged")
            began = began or here
            if (end or plain) != (len(directory), length, began):
                raise _Refused("its end doesn't fit its directory")
            break
        else:
            raise _Refused("it holds data that belong to no file")
    if front != directory:
        raise _Refused(f"it holds {_shown(min(front ^ directory))}, which its directory doesn't name")
    if stream.read(1):
        raise _Refused("data follow its end")


def _take(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise _Refused("it is cut off")
    return data


def _add(names: set[bytes], name: bytes) -> None:
    if name in names:
        raise _Refused(f"it holds {_shown(name)} twice")
    names.add(name)


def _shown(name: bytes) -> str:
    return repr(name.decode("utf-8", "replace"))


def _plain(name: bytes) -> bytes:
    if any(letter < 32 or letter == 127 for letter in name):
        raise _Refused(f"the name {_shown(name)} has characters that can't be printed")
    return name


def _local(stream: IO[bytes], sizes: dict[str, tuple[int, int]]) -> bytes:
    """A file's record at the front: its name, after its bytes were passed over."""
    _, flags, method, _, _, _, packed, size, name_size, extra_size = struct.unpack("<HHHHHIIIHH", _take(stream, 26))
    name = _plain(_take(stream, name_size))
    packed, size = _extra(_take(stream, extra_size), method, packed, size)
    if flags & DESCRIPTOR:
        raise _Refused(f"the size of {_shown(name)} follows its data")
    try:
        expected = sizes[name.decode("utf-8")]
    except UnicodeDecodeError:
        raise _Refused(f"the name {_shown(name)} isn't UTF-8") from None
    except KeyError:
        raise _Refused(f"it holds {_shown(name)}, which its directory doesn't name") from None
    if expected != (packed, size):
        raise _Refused(f"it gives two sizes for {_shown(name)}")
    stream.seek(packed, 1)
    return name


def _extra(extra: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    """The sizes of a file, which are in an extra field when they are large."""
    seen, place = set(), 0
    while place < len(extra):
        if len(extra) - place < 4:
            raise _Refused("an extra field is damaged")
        kind, length = struct.unpack_from("<HH", extra, place)
        body = extra[place + 4:place + 4 + length]
        place += 4 + length
        if len(body) != length or (kind in seen and kind in (ZIP64, UNICODE_PATH)):
            raise _Refused("an extra field is damaged or there twice")
        seen.add(kind)
        if kind == UNICODE_PATH:
            _plain(body[5:])
        if kind == ZIP64:
            packed, size = _long(body, method, packed, size)
    return packed, size


def _long(body: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    if len(body) not in (0, 8, 16, 24, 28) or (not body and FULL in (packed, size)):
        raise _Refused("an extra field is damaged")
    if len(body) == 8:
        if method != zipfile.ZIP_STORED:
            raise _Refused("an extra field is damaged")
        only = struct.unpack("<Q", body)[0]
        return only, only if size == FULL else size
    if len(body) >= 16:
        long_size, long_packed = struct.unpack("<QQ", body[:16])
        return long_packed, long_size if size == FULL else size
    return packed, size


def _central(stream: IO[bytes]) -> tuple[bytes, int]:
    """A file's record in the directory: its name, and how long the record is."""
    fields = struct.unpack("<HHHHHHIIIHHHHHII", _take(stream, 42))
    name_size, extra_size, comment_size = fields[9:12]
    if comment_size:
        raise _Refused("its directory holds a comment")
    name = _plain(_take(stream, name_size))
    _take(stream, extra_size)
    return name, 46 + name_size + extra_size


def _end(stream: IO[bytes]) -> tuple[int, int, int]:
    _, _, on_disk, records, size, offset, comment_size = struct.unpack("<HHHHIIH", _take(stream, 18))
    if on_disk != records:
        raise _Refused("its end is damaged")
    _take(stream, comment_size)
    return records, size, offset
