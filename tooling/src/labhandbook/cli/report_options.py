"""How every command reports: the options, and findings printed or written in the form that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labhandbook.core.terminal import paint

if TYPE_CHECKING:
    from labhandbook.core.rules import Finding

Function = Callable[..., Any]
VERBOSE = "labhandbook.verbose"


def format_option(function: Function) -> Function:
    """The form of an answer: for a person, or for a program."""
    return click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
                        help="How to report.")(function)


def findings_format_option(function: Function) -> Function:
    """The form of findings, and whether they are explained."""
    def keep(context: click.Context, _: click.Parameter, verbose: bool) -> None:
        context.meta[VERBOSE] = verbose

    function = click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=keep,
                            help="Show how to fix each finding, and the section that explains it.")(function)
    return click.option("--format", "form", type=click.Choice(["text", "json", "markdown", "sarif"]), default="text",
                        help="How to report.")(function)


def report_options(function: Function) -> Function:
    """The form of findings, and the file that they are written to."""
    function = click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
                            help="A file for the report.")(function)
    return findings_format_option(function)


def show_report(findings: Sequence[Finding], form: str, output: Path | None, title: str) -> None:
    """Print findings in the form asked for, or write them into a file; on a runner also into the job's summary.

    As text each is one line on the terminal; --verbose and a file have the remedies as well.

    Raises HandbookError when the file can't be written.
    """
    from labhandbook.core import job_summary
    from labhandbook.core.report import as_text, report

    job_summary.tell_findings(findings, title)
    if output is None:
        verbose = click.get_current_context().meta.get(VERBOSE, False)
        text = as_text(findings, paint, verbose) if form == "text" else report(findings, form, title=title)
        click.echo(text, nl=False)
    else:
        write_report(output, report(findings, form, title=title))


def write_report(output: Path, text: str) -> None:
    """Write a report into a file. Raises HandbookError when it can't be written."""
    from labhandbook.core.errors import HandbookError
    from labhandbook.core.files import write_atomic

    try:
        write_atomic(output, text)
    except OSError as error:
        raise HandbookError(f"{output} can't be written: {error.strerror or error}",
                            todo="choose another file with --output", section="sec-pypi-metadata") from None
