"""Writing files and folders so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import glob
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from labhandbook.core import regular_file
from labhandbook.core.errors import HandbookError

NEW, OLD = "new", "old"
# AT_FDCWD and RENAME_EXCHANGE of Linux (renameat2(2)); RENAME_SWAP of macOS has the same number.
HERE, SWAP = -100, 2
A_MINUTE = 60


def write_atomic(path: Path, content: str | bytes, *, sync: bool = False, mode: int = 0o644) -> None:
    """Write `content` to a temporary name beside `path`, then replace `path` with it.

    With `sync` the content is on the disk before the exchange, so that not even a machine that stops leaves half.
    A new file gets the permissions `mode`; a file that exists keeps its own.
    A device or a pipe, such as /dev/null, is written to and stays what it is: replaced by root, it would be lost to
    every program of the machine.
    """
    data = content.encode() if isinstance(content, str) else content
    if _is_special(path):
        _write_into(path, data)
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            if sync:
                stream.flush()
                os.fsync(stream.fileno())
        Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def user_cache() -> Path:
    """Where this package keeps what it can make again, in the user's own cache.

    Raises RuntimeError when the user has no home.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "labhandbook"


def user_state() -> Path:
    """Where this package keeps what it can't make again and no project can hold, in the user's own folder.

    Raises RuntimeError when the user has no home.
    """
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".local" / "state") / "labhandbook"


def _is_special(path: Path) -> bool:
    """Whether a path is no file that may be replaced: a device, a pipe, a socket, or anything in /dev.

    A link elsewhere is replaced, never followed: a book or a package could hold one that leads out.
    """
    with contextlib.suppress(OSError):
        if path.parent.resolve().is_relative_to("/dev") and not path.parent.resolve().is_relative_to("/dev/shm"):
            return True
        kind = path.lstat().st_mode
        return not (stat.S_ISREG(kind) or stat.S_ISLNK(kind) or stat.S_ISDIR(kind))
    return False


def _write_into(path: Path, data: bytes) -> None:
    """Write to what is there. A pipe that nobody reads is an OSError, not a wait without end."""
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    os.set_blocking(handle, True)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)


def write_if_changed(path: Path, content: str) -> bool:
    """Write `content` unless `path` already holds it; True when it was written.

    A file that keeps its time stamp does not wake the tools that watch it.
    """
    with contextlib.suppress(HandbookError):
        if regular_file.content(path) == content.encode():
            return False
    write_atomic(path, content)
    return True


@contextlib.contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `target` when the block ends well.

    The folder is beside `target`, and the system exchanges the two in one step where it can. After an exception
    `target` is what it was and nothing is left behind. What a process that was killed left behind is removed by the
    next one. Raises HandbookError when the disk does not take the files.
    """
    staging, lock = None, -1
    try:
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target)
        staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        lock = os.open(staging, os.O_RDONLY | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        staging.chmod(0o755)
        fresh = staging / NEW
        fresh.mkdir()
        yield fresh
        if not target.exists():
            fresh.rename(target)
        elif not exchange(fresh, target):
            old = staging / OLD
            target.rename(old)
            try:
                fresh.rename(target)
            except OSError:
                old.rename(target)
                raise
    except OSError as error:
        raise HandbookError(
            f"{target.name}/ can't be written: {error.strerror or error}",
            where=str(error.filename or target),
            why=f"what was in {target.name}/ before is untouched",
            todo="make room or choose another folder with --output, then run the command again",
            section="sec-contributing",
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        if lock >= 0:
            os.close(lock)


def exchange(one: Path, other: Path) -> bool:
    """Let two folders take each other's place in one step; False where the system can't."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    with contextlib.suppress(AttributeError):
        if sys.platform == "darwin":
            return int(library.renamex_np(*names, SWAP)) == 0
        return int(library.renameat2(HERE, names[0], HERE, names[1], SWAP)) == 0
    return False


def remove_leftovers(target: Path) -> None:
    """Remove what processes that were killed left beside `target`.

    A process that is at work holds a lock on its folder. Where one was killed between two renames, `target` gets
    back what it was.
    """
    for staging in target.parent.glob(f".{glob.escape(target.name)}.????????"):
        if staging.is_symlink() or not staging.is_dir():
            continue
        # Other folders may have such a name. A process makes NEW once it holds the lock, which takes no minute.
        content = {path.name for path in staging.iterdir()}
        if not content <= {NEW, OLD} or (not content and time.time() - staging.stat().st_mtime < A_MINUTE):
            continue
        lock = os.open(staging, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (staging / OLD).exists() and not target.exists():
                (staging / OLD).rename(target)
            shutil.rmtree(staging, ignore_errors=True)
        except OSError:
            continue  # its owner lives
        finally:
            os.close(lock)
