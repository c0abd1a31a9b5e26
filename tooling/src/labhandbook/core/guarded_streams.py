"""The standard streams and signals of a command: foreign text is shown safely, and a signal ends what was started."""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TextIO, cast

from labhandbook.core.escapes import ERRORS, Lost, Safe

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
PATIENCE = 10  # seconds that a stopped command has to clean up
BROKEN_PIPE = 128 + signal.SIGPIPE  # what a shell reports of a program whose output nobody reads
AT_SIGNAL: list[Callable[[], None]] = []  # what a signal calls, without a lock, before the command ends
ENDING: list[int] = []  # the signal that came, until what it ended has cleaned up


class Stopped(BaseException):
    """A signal asked this process to end. Not an Exception, so that nobody takes it for a failure of their own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def guard_streams() -> None:
    """Make standard streams that are there, show foreign text safely, and take every character.

    A stream that was closed would give its number to the next file that is opened, and a child would write into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Standard output that can only be read says at the first write that it was closed; the others are silent.
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = (cast(TextIO, Safe(_writer(stream, number)))
                              for number, stream in ((1, sys.stdout), (2, sys.stderr)))


def _writer(stream: TextIO | None, number: int) -> TextIO:
    stream = stream or open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(stream, io.TextIOWrapper):
        # JSON is UTF-8. In another encoding the codes of characters are right wherever they are read.
        utf8 = codecs.lookup(stream.encoding).name == "utf-8"
        stream.reconfigure(encoding="utf-8" if utf8 else "ascii", errors=ERRORS)
    return stream


@contextlib.contextmanager
def on_signals() -> Iterator[list[int]]:
    """While this is open, SIGTERM and SIGHUP end the programs that were started and raise Stopped.

    Yields a list that holds the signal that came. A second signal, or a clean-up that takes long, ends at once.
    """
    came: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if came:
            os._exit(128 + number)
        came.append(number)
        ENDING.append(number)
        timer = threading.Timer(PATIENCE, os._exit, (128 + number,))
        timer.daemon = True
        timer.start()
        for clean in AT_SIGNAL:
            clean()
        raise Stopped(number)

    # nohup means that SIGHUP is ignored; it stays so.
    handled = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, stop) for each in handled}
    try:
        yield came
    finally:
        ENDING.clear()
        for each, handler in before.items():
            signal.signal(each, signal.SIG_IGN if came else handler)


def silence(error: Lost) -> int:
    """What a command ends with when a stream took no more. From here on nothing is written to either stream."""
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if number == 1 or error.error.errno == errno.EPIPE:
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    return BROKEN_PIPE if error.error.errno == errno.EPIPE else 2
