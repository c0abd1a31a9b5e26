"""The lock on a run's directory: one process at a time.

The lock belongs to an open file, and a forked child (a worker of a data loader, for example) inherits open files.
So every child closes its copy right after the fork: the lock ends with the process that took it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import socket
import stat
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.runs.values import SECTION, reported, say

LOCK = ".lock"
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}


class Lock:
    """The lock on a folder, held until `close`, or until the process ends."""

    def __init__(self, folder: Path) -> None:
        """Raises HandbookError when the folder can't be made, and when another process holds its lock."""
        self.folder, self.owner = folder, os.getpid()
        with reported("the run's directory can't be made", folder, todo="name a directory that you may write to"):
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            self._handle = os.open(folder / LOCK, flags, 0o644)
        try:
            if not stat.S_ISREG(os.fstat(self._handle).st_mode):
                raise HandbookError(f"{LOCK} is no regular file", where=str(folder / LOCK), section=SECTION,
                                    todo="remove it, then start again")
            self._take()
        except BaseException:
            os.close(self._handle)
            raise

    def _take(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HandbookError(f"{holder(self._handle)} works in this run", where=str(self.folder), section=SECTION,
                                why="two processes would mix their metrics and overwrite each other's checkpoints",
                                todo="wait until it has ended, or give this run a directory of its own") from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            say(f"the file system of {self.folder} has no locks: make sure that only one process works there")
        with reported("the lock can't be written", self.folder):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    @property
    def inherited(self) -> bool:
        """Whether this process is a forked child of the one that took the lock."""
        return os.getpid() != self.owner

    def forget(self) -> None:
        """In a forked child: close the child's copy of the file. The parent keeps the lock."""
        with contextlib.suppress(OSError):
            os.close(self._handle)
        self._handle = -1

    def close(self) -> None:
        """Release the lock."""
        if self._handle >= 0:
            self.forget()


def holder(handle: int) -> str:
    """Who holds the lock of this open file, as far as that can be found out."""
    written = os.pread(handle, 200, 0).decode(errors="replace").strip()
    found = re.fullmatch(r"process (\d{1,10}) on ([\w.-]{1,100})", written)
    if not found:
        return "another process"
    if found[2] != socket.gethostname() or alive(int(found[1])):
        return written
    # The process that took the lock has ended, and a child that Python did not fork still has the file open.
    users = [str(number) for number in using(os.fstat(handle)) if number != os.getpid()]
    child = f"process {', '.join(users)}" if users else "another process"
    return f"{child}, started by process {found[1]} (which has ended),"


def alive(number: int) -> bool:
    """Whether a process of this machine has this number."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def using(file: os.stat_result) -> list[int]:
    """The processes that have a file open, as far as /proc shows them."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.path.samestat(link.stat(), file):
                found.add(int(link.parts[2]))
    return sorted(found)
