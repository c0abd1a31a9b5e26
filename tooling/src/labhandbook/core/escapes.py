"""Foreign text on a terminal: what could move the cursor, rename the window or reorder letters is shown escaped.

https://unicode.org/reports/tr9/ names the characters that reorder text; ECMA-48 the control functions.
"""

from __future__ import annotations

import os
import re
from typing import IO, Any

# Control characters but line feed and tab, and those that reorder text.
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Our own colours travel through a stream between these, which no foreign text can know.
KEY = os.urandom(8).hex()
START, END = f"\ufdd0{KEY}", f"\ufdd1{KEY}"
CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "white": "37"}
MARK = re.compile(f"{START}([a-z]+);|{END}")


def visible(text: str) -> str:
    """Text in which every control and reordering character is written as its code, such as \\u001b.

    Surrogates that stand for bytes of a file name become their codes too, so that any stream takes the text.
    """
    text = HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def coloured(text: str, colour: str) -> str:
    """Text that a `Safe` stream prints in a colour of CODES."""
    return f"{START}{colour};{text}{END}"


class Safe:
    """A text stream that shows control characters as their codes; only `coloured` text gets colours."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, escaped."""
        shown = MARK.sub(lambda match: f"\x1b[{CODES.get(match[1], '0')}m" if match[1] else "\x1b[0m", visible(text))
        self._stream.write(shown)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
