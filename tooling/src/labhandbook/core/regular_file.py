"""Reading a file that somebody else wrote: a regular one, of bounded size. Standard library only, for `runs`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from labhandbook.core.errors import HandbookError

LARGEST = 16 * 1024 * 1024  # bytes of a file that is read as text


def content(path: Path, shown: str = "", *, largest: int = LARGEST, section: str = "sec-book-rules") -> bytes:
    """The bytes of a regular file of at most `largest` bytes; `shown` is its name in messages.

    Raises HandbookError for a folder, a named pipe, a device, a file that is too large or can't be read.
    """
    where = shown or str(path)
    try:
        # Without O_NONBLOCK, opening a named pipe waits for somebody who writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            mode = os.fstat(handle).st_mode
            if not stat.S_ISREG(mode):
                kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
                raise HandbookError(f"{where} is {kind}, not a file", where=where, todo="name a regular file",
                                    section=section)
            data = stream.read(largest + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise HandbookError(f"{where} can't be read: {reason}", where=where,
                            todo="check its name and its permissions", section=section) from None
    if len(data) > largest:
        raise HandbookError(f"{where} is larger than {largest // 1024 ** 2} MiB", where=where,
                            why="no file of this kind needs so much", todo="check that it is the right file",
                            section=section)
    return data


def text(path: Path, shown: str = "", *, largest: int = LARGEST, section: str = "sec-book-rules") -> str:
    """The UTF-8 text of a file, with or without a byte order mark; every line break is a newline.

    Raises HandbookError as `content` does.
    """
    data = content(path, shown, largest=largest, section=section)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise HandbookError(f"{shown or path} is not UTF-8 text", where=f"{shown or path}:{line}",
                            why=error.reason, todo="save it as UTF-8", section=section) from None
