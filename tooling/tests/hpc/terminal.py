"""A terminal of its own for a command that asks, or that behaves otherwise in one."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path


def own() -> None:
    """Make the standard input this process's terminal, so that Ctrl-C typed there reaches it and ends it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs in the background of a script ignores it
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def talk(words: Sequence[str | Path], cwd: Path, *answers: str, prompt: str = "",
         env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command in a terminal: its exit code and the screen.

    Each answer is typed when the screen ends with `prompt`, without one at once. A control character is a key, and is
    typed again when nothing happens: Python misses one that comes just before it begins to read.
    """
    main, side = pty.openpty()
    screen, waiting, typed, quiet = b"", list(answers), b"", 0
    with subprocess.Popen(words, cwd=cwd, stdin=side, stdout=side, stderr=side, start_new_session=True,
                          env={**os.environ, **(env or {})}, preexec_fn=own) as process:
        os.close(side)
        while True:
            if waiting and screen.endswith(prompt.encode()):
                typed = waiting.pop(0).encode()
                os.write(main, typed)
            if not select.select([main], [], [], 2)[0]:
                quiet += 1
                if quiet > 30:
                    process.kill()
                    raise AssertionError(f"{words} says nothing more after: {screen.decode(errors='replace')}")
                if typed in (b"\x03", b"\x04"):
                    os.write(main, typed)
                continue
            quiet = 0
            try:
                screen += os.read(main, 65536)
            except OSError:   # the last program has left the terminal
                break
    os.close(main)
    return process.returncode, screen.decode(errors="replace").replace("\r\n", "\n")
