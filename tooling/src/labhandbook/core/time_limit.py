"""A limit on the processor time of Python code that reads what somebody else wrote."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class TooLong(Exception):
    """The work took more processor time than it may."""


class _Late(BaseException):
    """Passes through libraries that catch every Exception."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End the block after so many seconds of processor time. Only for the main thread, and not within itself.

    Raises TooLong.
    """
    def end(_: int, frame: FrameType | None) -> None:
        raise _Late

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    except _Late:
        raise TooLong(f"it takes more than {seconds:g} s of processor time") from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
