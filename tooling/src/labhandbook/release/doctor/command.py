"""`handbook release doctor`, the command."""

from __future__ import annotations

from pathlib import Path

import click

from labhandbook.cli import FINDINGS, FINE, Command
from labhandbook.release.commands import release, report_options, show_report
from labhandbook.terminal import Progress


@release.command(cls=Command, section="sec-actions-doctor")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@report_options
@click.option("--offline", is_flag=True, help="Don't ask GitHub.")
@click.option("--strict", is_flag=True, help="Fail on warnings and on what could not be verified, too.")
def doctor(path: Path | None, form: str, output: Path | None, offline: bool, strict: bool) -> int:
    """Say why publishing from GitHub Actions would fail, before a tag is pushed."""
    from labhandbook.release.doctor.examine import examine
    from labhandbook.report import counts

    progress = Progress()
    found = examine(path or Path(), offline=offline)
    show_report(found.findings, form, output, "Release doctor")
    failed = found.failed(strict=strict)
    uploads = len(found.repository.publications)
    progress.last(not failed, f"{found.repository.slug or found.repository.root.name}: {uploads} "
                              f"upload{'s' if uploads != 1 else ''}, {found.rules} rules: {counts(found.findings)}")
    return FINDINGS if failed else FINE
