"""The message for an error that no command expected.

`explain` has a sentence for errors of the system and of foreign data, and `record` writes a log of any other error.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.escapes import ERRORS, Lost
from labhandbook.core.files import user_state

SECTION = "sec-contributing"
KEPT = 20  # logs
# What to do about an error of the system.
TODO = {
    errno.ENOSPC: "make room there, then run the command again",
    errno.EDQUOT: "make room there, then run the command again",
    errno.EROFS: "choose a place that you may write to",
    errno.EACCES: "check its permissions and those of its folder",
    errno.EPERM: "check its permissions and those of its folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "remove the links that lead in a circle",
    errno.EMFILE: "raise the limit with ulimit -n, then run the command again",
    errno.ENOENT: "check the name",
    errno.ENOTDIR: "check the name: a part of it is a file where a folder is needed",
    errno.EISDIR: "name a file, not a folder",
    errno.EEXIST: "choose another name",
}


def lost(error: Lost) -> HandbookError:
    """The sentence for standard output that took no more."""
    if error.error.errno == errno.EBADF:
        return HandbookError("standard output is closed, so the result is lost",
                             todo="run the command again with standard output open", section=SECTION)
    return HandbookError(f"standard output can't be written: {error.error.strerror}", why="the result is incomplete",
                         todo="free some space, or write the output to another place", section=SECTION)


def explain(error: BaseException) -> HandbookError | None:
    """The sentence for an error of the system or of foreign data; None for one that nobody foresaw."""
    if isinstance(error, OSError):
        return _system(error)
    text = str(error)
    if isinstance(error, MemoryError):
        return HandbookError("there is not enough memory", todo="give the command more memory, or less to read",
                             section=SECTION)
    if isinstance(error, RecursionError):
        return HandbookError("the data is nested too deeply", section=SECTION,
                             todo="look for a list or a mapping inside hundreds of others")
    if _of_archive(error):
        return HandbookError(f"an archive can't be read: {text or type(error).__name__}",
                             todo="fetch or build it again", section=SECTION)
    if isinstance(error, ValueError) and "null" in text and ("byte" in text or "character" in text):
        return HandbookError("a path or an argument holds a NUL character", todo="remove it", section=SECTION)
    if isinstance(error, UnicodeEncodeError):
        return HandbookError("a name or a value holds bytes that are not UTF-8 text", todo="rename it",
                             why=f"it begins with {error.object[:60]}", section=SECTION)
    if isinstance(error, ValueError) and "integer string conversion" in text:
        return HandbookError("a number has too many digits", todo="write the number that is meant", section=SECTION)
    if isinstance(error, ValueError) and type(error).__module__.startswith("packaging."):
        return HandbookError(text.partition("\n")[0], section="sec-pypi-metadata",
                             why="versions, specifiers and requirements have a form that every tool agrees on",
                             todo="correct it where it is written: pyproject.toml, or the command line")
    if isinstance(error, RuntimeError) and text.startswith("Symlink loop"):
        return HandbookError(f"links lead in a circle: {text.partition(' from ')[2]}", todo="remove the link",
                             section=SECTION)
    if isinstance(error, RuntimeError) and "home directory" in text:
        return HandbookError("this user has no home folder", todo="set HOME to a folder", section=SECTION)
    return None


def _of_archive(error: BaseException) -> bool:
    """Whether an error says that compressed or archived data is broken."""
    import lzma
    import tarfile
    import zipfile
    import zlib

    return isinstance(error, zlib.error | lzma.LZMAError | zipfile.BadZipFile | tarfile.TarError | EOFError)


def _system(error: OSError) -> HandbookError | None:
    """The sentence for an error of the system."""
    if (gone := without_folder()) is not None:
        return gone
    if error.errno == errno.ENOENT and "temporary directory" in str(error.strerror):
        return HandbookError("there is no folder for temporary files", section=SECTION,
                             todo="set TMPDIR to a folder that you may write to")
    if error.errno is None or not error.strerror:
        return None
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | os.PathLike) else ""
    shown = f"{name[:80]}..." if len(name) > 200 else name
    return HandbookError(f"{shown}: {error.strerror}" if shown else error.strerror, section=SECTION,
                         todo=TODO.get(error.errno, "correct that, then run the command again"))


def without_folder() -> HandbookError | None:
    """The sentence for a current folder that was removed, which is behind many an error; None where it is there."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return HandbookError("the current folder does not exist any more", todo="go to a folder that exists: cd ~",
                             section=SECTION)
    except OSError:
        pass
    return None


def record(error: BaseException, version: str, blot: Callable[[str], str]) -> HandbookError:
    """Write down an error that nobody foresaw, without secrets, and say where.

    `blot` removes what is secret from a text.
    """
    what = f"{type(error).__name__}: {error}".partition("\n")[0]
    what = blot(what if len(what) < 200 else f"{what[:200]}...")
    text = "\n".join([
        f"handbook {version}, Python {platform.python_version()}, {platform.platform()}",
        f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {' '.join(map(repr, sys.argv))}", "",
        *traceback.format_exception(error)])
    try:
        place = f"the details are in {_write(blot(text))}"
        todo = "report it at the handbook's repository, with that file; it may name files of yours, so read it first"
    except OSError as failed:
        place, todo = f"no log could be written: {failed.strerror}", "set TMPDIR to a folder that you may write to"
    return HandbookError(f"handbook has a defect: {what}", why=place, todo=todo, section=SECTION)


def _write(text: str) -> Path:
    """Write a log that only its user may read; the oldest ones go."""
    data = text.encode("utf-8", ERRORS)
    try:
        folder = user_state()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"defect-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        for old in sorted(folder.glob("defect-*.log"))[:-KEPT]:
            old.unlink(missing_ok=True)
    except (OSError, RuntimeError):
        handle, name = tempfile.mkstemp(prefix="handbook-defect-", suffix=".log")
        path = Path(name)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    return path
