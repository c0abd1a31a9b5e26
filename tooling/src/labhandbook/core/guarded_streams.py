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

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 10  # seconds that a stopped command has to clean up
BROKEN_PIPE = 128 + signal.SIGPIPE  # what a shell reports of a program whose output nobody reads
AT_SIGNAL: list[Callable[[], None]] = []  # what a signal calls, without a lock, before the command ends
ENDING: list[int] = []  # the signal that came, until what it ended has cleaned up
_HELD: list[list[BaseException]] = []  # where a signal leaves what it would raise


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
    """While this is open, these signals end the programs that were started, and raise Stopped or KeyboardInterrupt.

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
        error = KeyboardInterrupt() if number == signal.SIGINT else Stopped(number)
        if not _HELD:
            raise error
        _HELD[-1].append(error)

    # nohup means that SIGHUP is ignored, and a script's background command ignores SIGINT; it stays so.
    handled = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, stop) for each in handled}
    try:
        yield came
    finally:
        ENDING.clear()
        for each, handler in before.items():
            signal.signal(each, signal.SIG_IGN if came else handler)


@contextlib.contextmanager
def holding() -> Iterator[list[BaseException]]:
    """Keep what a signal would raise in this block in a list, for the caller to raise.

    What a handler raises during a fork is lost: Python only prints what its callbacks for forks raise.
    """
    came: list[BaseException] = []
    main = threading.current_thread() is threading.main_thread()  # only there handlers run
    if main:
        _HELD.append(came)
    try:
        yield came
    except Exception:
        if came:
            raise came[0] from None
        raise
    finally:
        if main:
            _HELD.pop()


def silence(error: Lost) -> int:
    """What a command ends with when a stream took no more. From here on nothing is written to either stream."""
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if number == 1 or error.error.errno == errno.EPIPE:
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    return BROKEN_PIPE if error.error.errno == errno.EPIPE else 2
