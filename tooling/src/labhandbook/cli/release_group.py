"""The group `handbook release` and the options that its commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.terminal import paint


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def release() -> None:
    """Release a Python package, step by step as the packaging chapter tells it."""


def paths_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The projects' folders; the current one when none is given."""
    return click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))(function)


def report_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how findings are reported."""
    function = click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
                            help="A file for the report.")(function)
    return click.option("--format", "form", type=click.Choice(["text", "json", "markdown", "sarif"]), default="text",
                        help="How to report.")(function)


def show_report(findings: list[Any], form: str, output: Path | None, title: str) -> None:
    """Print findings in the form asked for, or write them into a file.

    Raises HandbookError when the file can't be written.
    """
    from labhandbook.core.report import as_text, report

    if output is None:
        text = as_text(findings, paint) if form == "text" else report(findings, form, title=title)
        click.echo(text, nl=False)
        return
    try:
        write_atomic(output, report(findings, form, title=title))
    except OSError as error:
        raise HandbookError(f"{output} can't be written: {error.strerror or error}",
                            todo="choose another file with --output", section="sec-pypi-metadata") from None
