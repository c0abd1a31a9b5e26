"""The commands of `handbook release` that make the files and look into them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labhandbook.cli import release_step_commands
from labhandbook.cli.release_group import paths_argument, release
from labhandbook.cli.report_options import report_options, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command
from labhandbook.core import job_summary
from labhandbook.core.rules import Severity
from labhandbook.core.terminal import Progress

if TYPE_CHECKING:
    from labhandbook.core.steps import Step
    from labhandbook.release.inspection import Inspection
    from labhandbook.release.step_actions import Release


@release.command(cls=Command, section="sec-pypi-build")
@paths_argument
@report_options
def build(paths: tuple[Path, ...], form: str, output: Path | None) -> int:
    """Build sdist and wheel of this commit once, and prove that the build can be repeated."""
    from labhandbook.release import release_steps

    releases = release_step_commands.open_projects(paths, release_step_commands.make_options())
    results = release_steps.run_all(releases, _steps("build"), release_step_commands.show_beginning)
    return release_step_commands.show_results(results, form, output, "Release build",
                                              "next: handbook release inspect")


@release.command(cls=Command, section="sec-pypi-inspect")
@paths_argument
@report_options
@click.option("--compare-with", "target", metavar="INDEX",
              help="The index of the last release, or none (default: compare-with in the settings).")
def inspect(paths: tuple[Path, ...], form: str, output: Path | None, target: str | None) -> int:
    """Show what is in the files, what changed since the last release, and what PyPI would refuse."""
    from labhandbook.core.report import counts
    from labhandbook.release import release_steps

    progress = Progress()
    releases = release_step_commands.open_projects(paths, release_step_commands.make_options())
    for each, result in release_steps.run_all(releases, _steps("build"), release_step_commands.show_beginning):
        if result.state == "failed":
            return release_step_commands.show_results([(each, result)], form, output, "Release build", "")
    seen = [(each, _look(each, target)) for each in releases]
    findings = [finding for _, inspection in seen for finding in inspection.findings]
    if form == "json" and output is None:
        click.echo(json.dumps([{"project": each.project.name, "version": each.version, **inspection.as_json()}
                               for each, inspection in seen], indent=2))
    else:
        if form == "text":
            click.echo("\n".join(line for _, inspection in seen for line in inspection.lines()))
        show_report(findings, form, output, "Release inspection")
    job_summary.tell_findings(findings, "Release inspection")
    failed = any(finding.weight is Severity.ERROR for finding in findings)
    names = ", ".join(f"{each.project.name} {each.version}" for each in releases)
    progress.last(not failed, f"{names}: {counts(findings)}")
    return FINDINGS if failed else FINE


def _look(each: Release, target: str | None) -> Inspection:
    """What is in the files of a release, with what the acceptance gate says of them."""
    from dataclasses import replace

    from labhandbook.package.distribution import read
    from labhandbook.release.inspection import inspect as look
    from labhandbook.release.package_build import Built
    from labhandbook.release.previous_release import fetch_previous
    from labhandbook.release.upload_gate import gate

    sdist, wheel = map(read, each.state.files())
    with tempfile.TemporaryDirectory() as folder:
        chosen = target or each.project.settings.compare_with
        previous = fetch_previous(each.project.name, each.version, chosen, Path(folder))
        seen = look(Built(each.state.dist, sdist, wheel), each.project, previous)
    return replace(seen, findings=seen.findings + gate([sdist, wheel], each.project))


def _steps(name: str) -> list[Step[Release]]:
    """One step of the rehearsal."""
    from labhandbook.release import release_steps

    return [step for step in release_steps.steps("rehearse") if step.name == name]
