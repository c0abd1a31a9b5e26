"""Foreign text on a terminal: what could move the cursor, rename the window or reorder letters is shown escaped.

https://unicode.org/reports/tr9/ names the characters that reorder text; ECMA-48 the control functions. A runner of
GitHub reads commands from what a program prints, so foreign text may not begin one either:
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable
from typing import IO, Any

# Control characters but line feed and tab, and those that reorder or hide text or end a line.
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
                    "\ufff9-\ufffb\U000e0000-\U000e007f]")
# Our own colours travel through a stream between these, which no foreign text can know.
KEY = os.urandom(8).hex()
START, END = f"\ufdd0{KEY}", f"\ufdd1{KEY}"
CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "white": "37"}
MARK = re.compile(f"{START}([a-z]+);|{END}")
# How a line begins that a runner takes for a command; the older form counts anywhere in a line.
RUNNER = re.compile(r"^([^\S\n]*):(?=:)|(?<=#)#(?=\[)", re.MULTILINE)
ERRORS = "labhandbook.codes"


def visible(text: str) -> str:
    """Text in which every control and reordering character is written as its code, such as \\u001b.

    Surrogates that stand for bytes of a file name become their codes too, so that any stream takes the text. What was
    JSON still is JSON, and stands for the same data.
    """
    text = HIDDEN.sub(lambda match: code(match[0]), text)
    return text.encode("utf-8", ERRORS).decode("utf-8")


def one_line(text: str) -> str:
    """Visible text on one line: a line feed and a tab become codes too."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def code(character: str) -> str:
    """A character as JSON writes it in ASCII."""
    number = ord(character)
    if number < 0x10000:
        return f"\\u{number:04x}"
    number -= 0x10000
    return f"\\u{0xd800 | number >> 10:04x}\\u{0xdc00 | number & 0x3ff:04x}"


def _codes(error: UnicodeError) -> tuple[str, int]:
    """What a stream writes for characters that its encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(code, error.object[error.start:error.end])), error.end


codecs.register_error(ERRORS, _codes)


def coloured(text: str, colour: str) -> str:
    """Text that a `Safe` stream prints in a colour of CODES."""
    return f"{START}{colour};{text}{END}"


class Lost(Exception):
    """A stream took no more: its reader has gone, or the disk is full. `error` says which."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class Safe:
    """A text stream that shows control characters as their codes; only `coloured` text gets colours.

    It raises Lost, not an OSError: one who reads a file would take that for a trouble of the file.
    """

    # Whatever the stream's own encoding is: click writes past a stream that says ASCII.
    encoding, errors = "utf-8", ERRORS

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._fresh = True  # whether a line begins here
        self._runner = os.environ.get("GITHUB_ACTIONS") == "true"

    def write(self, text: str) -> int:
        """Write text, escaped."""
        shown = visible(text)
        if self._runner:
            shown = RUNNER.sub(self._blunt, shown)
        self._put(MARK.sub(lambda match: f"\x1b[{CODES.get(match[1], '0')}m" if match[1] else "\x1b[0m", shown))
        return len(text)

    def command(self, text: str) -> None:
        """Write a line that GitHub's runner may take for a command."""
        self._put(f"{'' if self._fresh else chr(10)}{visible(text)}\n")
        self.flush()

    def _put(self, text: str) -> None:
        if text:
            self._fresh = text.endswith("\n")
        try:
            self._stream.write(text)
        except OSError as error:
            raise Lost(error) from None

    def _blunt(self, match: re.Match[str]) -> str:
        """The match of RUNNER in a form that the runner passes over."""
        if match[0] == "#":
            return code("#")
        return match[0] if match.start() == 0 and not self._fresh else f"{match[1]}{code(':')}"

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts, escaped."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what was written."""
        try:
            self._stream.flush()
        except OSError as error:
            raise Lost(error) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
