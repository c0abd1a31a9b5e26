"""What a person sees on the terminal: stages with times, findings, errors. Colour only helps."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

import click

from labhandbook import runner
from labhandbook.core.escapes import coloured, one_line
from labhandbook.errors import HandbookError
from labhandbook.report import as_text
from labhandbook.rules import Finding


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
            click.echo(f"{paint('✓', 'green')} {self._word:<16} {seconds:6.2f} s", err=True)
        self._word = ""

    def last(self, fine: bool, text: str, then: str = "") -> None:
        """The last line: what was made, where, in which time, and what to do next."""
        mark = paint("✓", "green") if fine else paint("✗", "red")
        click.echo(f"{mark} {text} in {time.monotonic() - self._start:.1f} s{'; ' if then else ''}{then}", err=True)


def show_findings(findings: Iterable[Finding]) -> None:
    """Print findings as `file:line: CODE message`, the remedy and the section under each."""
    click.echo(as_text(findings, paint), err=True, nl=False)


def show_error(error: HandbookError) -> None:
    """Print an error: what happened, where, why it matters, what to do, and the section to read."""
    where = f"{one_line(error.where)}: " if error.where else ""
    what = error.what.replace("\n", "\n    ")
    click.echo(f"{paint('✗', 'red')} {where}{what}", err=True, color=True)
    for text in (error.why, error.todo, f"@{error.section}" if error.section else ""):
        if text:
            click.echo("    " + text.replace("\n", "\n    "), err=True, color=True)
    runner.tell_error(error)
