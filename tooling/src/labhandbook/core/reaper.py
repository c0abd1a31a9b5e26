"""The shell process that outlives this one just long enough to end its children and remove its temporary files."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

# Reads "+ TOKEN GROUP", "+ TOKEN /FOLDER" and "- TOKEN". When its input ends, so did this process, and what is left
# is killed and removed. A program that was just killed may still be at work on a file, so folders get some attempts.
WATCHER = """
trap '' HUP INT TERM
while read -r sign token what; do
  for each; do shift; [ "${each%%:*}" = "$token" ] || set -- "$@" "$each"; done
  [ "$sign" = - ] || set -- "$@" "$token:$what"
done
for each; do case ${each#*:} in /*) ;; *) kill -s KILL -- "-${each#*:}" 2> /dev/null ;; esac; done
for each; do case ${each#*:} in
  /*) for pause in 0.1 0.3 1 3; do rm -rf -- "${each#*:}" && break; chmod -R u+rwX "${each#*:}"; sleep $pause; done ;;
esac; done
"""


class Reaper:
    """This process's end of the watcher, which is started when there is something to watch over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = self._reading = self._writing = -1
        self._tokens = itertools.count()
        self.groups: dict[int, int] = {}  # of this process, not of one that it was forked from, with their tokens

    @contextlib.contextmanager
    def watching(self) -> Iterator[tuple[Callable[[int], None], Callable[[], None]]]:
        """What the starter of a child calls with its group, and what the child calls before it becomes the program.

        The child names itself, so no moment is left in which it runs and nobody watches over it. A start that fails
        leaves nothing behind: its number may soon be another program's. A start that a signal breaks off may have
        left a child, which stays watched.
        """
        with self._lock:
            token = self._next()
            pipe = os.dup(self._writing)

        def announce() -> None:
            with contextlib.suppress(OSError):
                os.write(pipe, b"+ %d %d\n" % (token, os.getpid()))

        def watched(group: int) -> None:
            self.groups[group] = token

        try:
            yield watched, announce
        except Exception:
            self._write(f"- {token}")
            raise
        finally:
            os.close(pipe)

    def forget_group(self, group: int) -> None:
        """Watch no longer over a group."""
        token = self.groups.pop(group, None)
        if token is not None:
            self._write(f"- {token}")

    def watch_folder(self, path: str) -> Callable[[], None]:
        """Have a folder removed when this process ends. Returns what ends that, once the folder is gone."""
        with self._lock:
            token = self._next()
        if path.startswith("/") and path == path.strip() and "\n" not in path:
            self._write(f"+ {token} {path}")
        return lambda: self._write(f"- {token}")

    def let_go(self) -> None:
        """Let go of the pipe: in a forked child it is the parent's."""
        self._lock = threading.Lock()
        for end in (self._reading, self._writing):
            if end >= 0:
                with contextlib.suppress(OSError):
                    os.close(end)
        self._owner = self._reading = self._writing = -1
        self.groups = {}

    def _next(self) -> int:
        if self._owner != os.getpid():
            self._begin()
        return next(self._tokens)

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._writing, f"{line}\n".encode(errors="surrogateescape"))

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


@contextlib.contextmanager
def temporary_files() -> Iterator[None]:
    """For the time of a block, keep the temporary files of this process and its children in one folder.

    The folder is removed at the end, also when a signal ends this process, or ends what removes the folder.
    """
    import shutil  # a command's help needs neither
    import tempfile

    kept = os.environ.get("TMPDIR"), tempfile.tempdir
    folder, done = None, None
    try:
        with contextlib.suppress(OSError):  # a command that needs no temporary file works without
            folder = Path(tempfile.gettempdir(), f"handbook-{secrets.token_hex(6)}")
            done = REAPER.watch_folder(str(folder))
            folder.mkdir(mode=0o700)
            os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        yield
    finally:
        tempfile.tempdir = kept[1]
        if kept[0] is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = kept[0]
        if folder and done:
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                done()
