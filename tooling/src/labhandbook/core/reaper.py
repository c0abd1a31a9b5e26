"""A small shell process that kills a program's children when that program ends, however it ends."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator

# Reads "+ TOKEN GROUP" and "- TOKEN"; when its input ends, so did this process, and what is left is killed.
WATCHER = """
trap '' HUP INT TERM
groups=
while read -r sign token group; do
  left=
  for each in $groups; do [ "${each%%:*}" = "$token" ] || left="$left $each"; done
  groups=$left
  [ "$sign" = - ] || groups="$groups $token:$group"
done
for each in $groups; do kill -s KILL -- "-${each#*:}" 2> /dev/null; done
"""


class Reaper:
    """The shell process that outlives this one just long enough to kill its children's groups."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = self._reading = self._writing = -1
        self._tokens = itertools.count()
        self.groups: dict[int, int] = {}  # of this process, not of one that it was forked from, with their tokens

    @contextlib.contextmanager
    def watching(self) -> Iterator[tuple[Callable[[int], None], Callable[[], None]]]:
        """What the starter of a child calls with its group, and what the child calls before it becomes the program.

        The child names itself, so no moment is left in which it runs and nobody watches over it. A start that fails
        leaves nothing behind: its number may soon be another program's.
        """
        with self._lock:
            if self._owner != os.getpid():
                self._begin()
            token, pipe = next(self._tokens), os.dup(self._writing)

        def announce() -> None:
            with contextlib.suppress(OSError):
                os.write(pipe, b"+ %d %d\n" % (token, os.getpid()))

        def watched(group: int) -> None:
            self.groups[group] = token

        try:
            yield watched, announce
        except BaseException:
            self._write(f"- {token}")
            raise
        finally:
            os.close(pipe)

    def forget_group(self, group: int) -> None:
        """Watch no longer over a group."""
        token = self.groups.pop(group, None)
        if token is not None:
            self._write(f"- {token}")

    def let_go(self) -> None:
        """Let go of the pipe: in a forked child it is the parent's."""
        self._lock = threading.Lock()
        for end in (self._reading, self._writing):
            if end >= 0:
                with contextlib.suppress(OSError):
                    os.close(end)
        self._owner = self._reading = self._writing = -1
        self.groups = {}

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._writing, f"{line}\n".encode())

    def _begin(self) -> None:
        # The reading end stays open here: without it, a watcher that somebody killed would end each child by SIGPIPE.
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._owner = os.getpid()
        self.groups = {}
        silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
        with contextlib.suppress(OSError):  # without a shell only what Python itself can catch ends the children
            os.posix_spawn("/bin/sh", ["sh", "-c", WATCHER], {"PATH": os.defpath}, setpgroup=0,
                           file_actions=[(os.POSIX_SPAWN_DUP2, self._reading, 0), *silent])


REAPER = Reaper()
# A forked child that held the pipe open would keep the watcher waiting for as long as it lives.
os.register_at_fork(after_in_child=REAPER.let_go)
