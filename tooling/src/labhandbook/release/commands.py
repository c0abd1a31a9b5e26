"""`handbook release`: from a commit to a verified package. Each command parses, calls one function and prints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from labhandbook import runner
from labhandbook.cli import FINDINGS, FINE, Command
from labhandbook.errors import HandbookError
from labhandbook.files import write_atomic
from labhandbook.terminal import Progress, paint


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


@release.command(cls=Command, section="sec-pypi-metadata")
@paths_argument
@report_options
@click.option("--offline", is_flag=True, help="Ask neither the git remote nor the index.")
@click.option("--strict", is_flag=True, help="Fail on warnings and on what could not be verified, too.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Judge as of this day.")
def check(paths: tuple[Path, ...], form: str, output: Path | None, offline: bool, strict: bool,
          today: datetime | None) -> int:
    """Check sources, git and metadata before anything is built."""
    from labhandbook.release.check import check_paths as look
    from labhandbook.report import counts

    progress = Progress()
    found = look(paths or (Path(),), offline=offline, today=today.date() if today else None)
    runner.tell_findings(found.findings, "Release check")
    show_report(found.findings, form, output, "Release check")
    names = ", ".join(project.name or project.root.name for project in found.projects)
    failed = found.failed(strict=strict)
    progress.last(not failed, f"{names}: {found.rules} rules: {counts(found.findings)}")
    return FINDINGS if failed else FINE


def show_report(findings: list[Any], form: str, output: Path | None, title: str) -> None:
    """Print findings in the form asked for, or write them into a file.

    Raises HandbookError when the file can't be written.
    """
    from labhandbook.report import as_text, report

    if output is None:
        text = as_text(findings, paint) if form == "text" else report(findings, form, title=title)
        click.echo(text, nl=False)
        return
    try:
        write_atomic(output, report(findings, form, title=title))
    except OSError as error:
        raise HandbookError(f"{output} can't be written: {error.strerror or error}",
                            todo="choose another file with --output", section="sec-pypi-metadata") from None


# The commands that carry out a workflow stand in a module of their own, which needs what is defined above.
from labhandbook.release import hosting, looking, running  # noqa: E402, F401
from labhandbook.release.doctor import command  # noqa: E402, F401
