"""What a person sees on the terminal: stages with times, findings, errors. Colour only helps."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable

from labhandbook.core import job_summary
from labhandbook.core.errors import HandbookError
from labhandbook.core.escapes import coloured, one_line
from labhandbook.core.report import as_text
from labhandbook.core.rules import Finding
from labhandbook.core.section_addresses import readable


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print a text at once."""
    print(text, end="\n" if nl else "", file=sys.stderr if err else sys.stdout, flush=True)


def paint(text: str, colour: str) -> str:
    """Colour `text` on a terminal, unless NO_COLOR is set (see no-color.org)."""
    if os.environ.get("NO_COLOR") or not sys.stderr.isatty():
        return text
    return coloured(text, colour)


class Progress:
    """Stages of one command on standard error: a line a stage with a mark, a word and its time."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._start = self._since = time.monotonic()
        self._word = ""

    def stage(self, word: str) -> None:
        """End the stage that runs and begin the next."""
        self.end()
        self._word, self._since = word, time.monotonic()

    def end(self) -> None:
        """End the stage that runs."""
        if self._word and not self._quiet:
            seconds = time.monotonic() - self._since
            echo(f"{paint('✓', 'green')} {self._word:<16} {seconds:6.2f} s", err=True)
        self._word = ""

    def last(self, fine: bool, text: str, then: str = "") -> None:
        """The last line: what was made, where, in which time, and what to do next."""
        mark = paint("✓", "green") if fine else paint("✗", "red")
        echo(f"{mark} {text} in {time.monotonic() - self._start:.1f} s{'; ' if then else ''}{then}", err=True)


def show_findings(findings: Iterable[Finding]) -> None:
    """Print findings as `file:line: CODE message`, the remedy and the section under each."""
    echo(as_text(findings, paint), err=True, nl=False)


def show_error(error: HandbookError) -> None:
    """Print an error: what happened, where, why it matters, what to do, and the section to read."""
    # A message may begin with the name of its file, which then is said once.
    file = re.sub(r":[0-9]+$", "", error.where)
    words = error.what.removeprefix(f"{file} ")
    mark = " " if words != error.what and file == error.where else ": "
    where = one_line(error.where) + mark if error.where else ""
    what = words.replace("\n", "\n    ")
    echo(f"{paint('✗', 'red')} {where}{what}", err=True)
    for text in (error.why, error.todo, readable(error.section) if error.section else ""):
        if text:
            echo("    " + text.replace("\n", "\n    "), err=True)
    job_summary.tell_error(error)
