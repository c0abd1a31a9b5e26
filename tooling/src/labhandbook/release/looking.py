"""The commands of `handbook release` that make the files and look into them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labhandbook import runner
from labhandbook.cli import FINDINGS, FINE, Command
from labhandbook.release import running
from labhandbook.release.commands import paths_argument, release, report_options, show_report
from labhandbook.rules import Severity
from labhandbook.terminal import Progress

if TYPE_CHECKING:
    from labhandbook.release.actions import Release
    from labhandbook.release.inspect import Inspection
    from labhandbook.steps import Step


@release.command(cls=Command, section="sec-pypi-build")
@paths_argument
@report_options
def build(paths: tuple[Path, ...], form: str, output: Path | None) -> int:
    """Build sdist and wheel of this commit once, and prove that the build can be repeated."""
    from labhandbook.release import workflow

    releases = running.open_projects(paths, running.make_options())
    results = workflow.run_all(releases, _steps("build"), running.show_beginning)
    return running.show_results(results, form, output, "Release build", "next: handbook release inspect")


@release.command(cls=Command, section="sec-pypi-inspect")
@paths_argument
@report_options
@click.option("--compare-with", "target", metavar="INDEX",
              help="The index of the last release, or none (default: compare-with in the settings).")
def inspect(paths: tuple[Path, ...], form: str, output: Path | None, target: str | None) -> int:
    """Show what is in the files, what changed since the last release, and what PyPI would refuse."""
    from labhandbook.release import workflow
    from labhandbook.report import counts

    progress = Progress()
    releases = running.open_projects(paths, running.make_options())
    for each, result in workflow.run_all(releases, _steps("build"), running.show_beginning):
        if result.state == "failed":
            return running.show_results([(each, result)], form, output, "Release build", "")
    seen = [(each, _look(each, target)) for each in releases]
    findings = [finding for _, inspection in seen for finding in inspection.findings]
    if form == "json" and output is None:
        click.echo(json.dumps([{"project": each.project.name, "version": each.version, **inspection.as_json()}
                               for each, inspection in seen], indent=2))
    else:
        if form == "text":
            click.echo("\n".join(line for _, inspection in seen for line in inspection.lines()))
        show_report(findings, form, output, "Release inspection")
    runner.tell_findings(findings, "Release inspection")
    failed = any(finding.weight is Severity.ERROR for finding in findings)
    names = ", ".join(f"{each.project.name} {each.version}" for each in releases)
    progress.last(not failed, f"{names}: {counts(findings)}")
    return FINDINGS if failed else FINE


def _look(each: Release, target: str | None) -> Inspection:
    """What is in the files of a release, with what the acceptance gate says of them."""
    from dataclasses import replace

    from labhandbook.release.acceptance import gate
    from labhandbook.release.build import Built
    from labhandbook.release.distribution import read
    from labhandbook.release.inspect import inspect as look
    from labhandbook.release.previous import fetch_previous

    sdist, wheel = map(read, each.state.files())
    with tempfile.TemporaryDirectory() as folder:
        chosen = target or each.project.settings.compare_with
        previous = fetch_previous(each.project.name, each.version, chosen, Path(folder))
        seen = look(Built(each.state.dist, sdist, wheel), each.project, previous)
    return replace(seen, findings=[*seen.findings, *gate([sdist, wheel], each.project)])


def _steps(name: str) -> list[Step[Release]]:
    """One step of the rehearsal."""
    from labhandbook.release import workflow

    return [step for step in workflow.steps("rehearse") if step.name == name]
