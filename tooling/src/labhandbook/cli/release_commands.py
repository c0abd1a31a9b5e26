"""`handbook release`: from a commit to a verified package. Each command parses, calls one function and prints."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from labhandbook.cli import github_commands, release_file_commands, release_step_commands  # noqa: F401
from labhandbook.cli.release_group import paths_argument, release
from labhandbook.cli.report_options import report_options, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command
from labhandbook.core.terminal import Progress


@release.command(cls=Command, section="sec-pypi-metadata")
@paths_argument
@report_options
@click.option("--offline", is_flag=True, help="Ask neither the git remote nor the index.")
@click.option("--strict", is_flag=True, help="Fail on warnings and on what could not be verified, too.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Judge as of this day.")
def check(paths: tuple[Path, ...], form: str, output: Path | None, offline: bool, strict: bool,
          today: datetime | None) -> int:
    """Check sources, git and metadata before anything is built."""
    from labhandbook.core.report import counts
    from labhandbook.release.check_project import check_paths as look

    progress = Progress()
    found = look(paths or (Path(),), offline=offline, today=today.date() if today else None)
    show_report(found.findings, form, output, "Release check")
    names = ", ".join(project.name or project.root.name for project in found.projects)
    failed = found.findings.failed(strict=strict)
    progress.last(not failed, f"{names}: {found.findings.rules} rules: {counts(found.findings)}")
    return FINDINGS if failed else FINE

