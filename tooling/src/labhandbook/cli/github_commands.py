"""The commands of `handbook release` that use GitHub: from a pushed tag to its release there."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from labhandbook.cli.release_group import Asked, release
from labhandbook.cli.report_options import format_option, report_options, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command
from labhandbook.core import job_summary
from labhandbook.core.terminal import Progress


def project_argument(function: click.decorators.FC) -> click.decorators.FC:
    """The folder of one project."""
    return click.argument("path", type=click.Path(path_type=Path), default=".")(function)


@release.command(cls=Command, section="sec-actions-admit")
@project_argument
@report_options
@click.option("--tag", default="", help="The tag (default: the one that was pushed, or the only one here).")
@click.option("--patience", type=click.FloatRange(0), default=30.0, show_default=True,
              help="Minutes to wait for checks that are still running.")
def admit(path: Path, form: str, output: Path | None, tag: str, patience: float) -> int:
    """Refuse a tag that may not be released: wrong version, shallow clone, not on the main branch, or a red check."""
    from labhandbook.github import admit as admission
    from labhandbook.github.release_workflow import matrix
    from labhandbook.package.findings import project_findings
    from labhandbook.package.project import load_project

    progress = Progress()
    project = load_project(path, ask_remote=False)
    job_summary.give("pythons", json.dumps(matrix(project)))
    asked = admission.admit(project, tag, patience * 60, say=lambda line: click.echo(f"    {line}", err=True))
    findings = project_findings(admission.judge(asked), project)
    title = f"May {asked.tag} of {project.name} be released?"
    show_report(findings, form, output, title)
    failed = findings.failed()
    progress.last(not failed, f"{asked.tag} may not be released" if failed else admission.words(asked))
    return FINDINGS if failed else FINE


@release.command(cls=Command, section="sec-actions-announce")
@project_argument
@click.option("--attach", "folder", type=click.Path(path_type=Path, file_okay=False),
              help="A folder whose files are added to the release if it exists, such as one with a recipe.")
def announce(path: Path, folder: Path | None) -> int:
    """Make the version's release on GitHub: a draft, its notes from the change log, the files, then publish it."""
    from labhandbook.core.github_api import open_github
    from labhandbook.github import announce as release_page
    from labhandbook.release.file_origin import check_job

    progress = Progress()
    asked = Asked((path,))
    (made,) = asked.releases(asked.options())
    files = made.state.files()
    check_job(made.project)
    extra = sorted(each for each in folder.iterdir() if each.is_file()) if folder and folder.is_dir() else []
    commit = str(made.state.ledger().fact("build", "commit"))
    wanted = release_page.Announcement(made.project, made.version, commit, files, made.state.hashes(), extra)
    done = release_page.announce(wanted, open_github(made.project.git), made.options.say)
    files_done = [*(f"{name} {what}" for name, what in done.files.items()),
                  *release_page.citation(made.project, made.version, date.today())]
    head = f"## {made.project.name} {made.version} on GitHub: [{done.published}]({done.url})"
    job_summary.summarise("\n".join([head, "", *(f"- {line}" for line in files_done)]))
    click.echo("\n".join([done.url, *(f"  {line}" for line in files_done)]))
    progress.last(True, f"{wanted.tag} is {done.published} on GitHub")
    return FINE


@release.command(cls=Command, section="sec-actions-init")
@project_argument
@click.option("--repository", default="", metavar="OWNER/NAME", help="On GitHub (default: that of the git remote).")
@click.option("--handbook", "commit", default="", metavar="COMMIT",
              help="The handbook's commit to use (default: the one that is installed).")
@click.option("--no-testpypi", is_flag=True, help="Publish on PyPI without TestPyPI before it.")
@click.option("--compiled/--pure", default=None,
              help="Build wheels on several machines, or don't (default: what the package's build needs).")
@click.option("--dev", is_flag=True, help="Write dev.yml too: each push to the main branch goes to TestPyPI.")
@click.option("--force", is_flag=True, help="Overwrite a workflow that exists.")
@format_option
def init(path: Path, repository: str, commit: str, no_testpypi: bool, compiled: bool | None, dev: bool, force: bool,
         form: str) -> int:
    """Write the package's release workflow and show the fields of the forms that make PyPI and TestPyPI trust it."""
    from labhandbook.github import release_workflow
    from labhandbook.github.trusted_publisher import forms
    from labhandbook.package.project import load_project

    progress = Progress()
    project = load_project(path, ask_remote=False)
    publishers = forms(project, repository, ("pypi",) if no_testpypi else ("testpypi", "pypi"))
    own = release_workflow.uses(project, commit)
    unasked = release_workflow.on_github(own)
    compiled = release_workflow.has_extensions(project) if compiled is None else compiled
    written = [*release_workflow.write(project, publishers, own, compiled=compiled, force=force),
               *release_workflow.write_beside(project, publishers, own)]
    first, asked = publishers[0], publishers
    if dev:
        added, trial = release_workflow.write_dev(project, forms(project, repository), own)
        written, asked = [*written, *added], [trial, *publishers]
    if form == "json":
        click.echo(json.dumps([each.as_json() for each in asked], indent=2))
    else:
        click.echo("\n\n".join(each.as_text() for each in asked))
        click.echo(f"\nGitHub: https://github.com/{first.owner}/{first.repository}/settings/environments\n"
                   f"    make {' and '.join(dict.fromkeys(each.environment for each in asked))}; "
                   f"give {publishers[-1].environment} required reviewers")
    if unasked:
        click.echo(f"the handbook's commit could not be looked up: {unasked}", err=True)
    for name in release_workflow.others(project, publishers):
        click.echo(f"{name} uploads too: remove it, or a tag starts both", err=True)
    progress.last(True, f"{', '.join(written)} written" if written else f"{first.workflow} is up to date",
                  "next: fill in the forms, commit, and run handbook release doctor before the first tag")
    return FINE


@release.command(cls=Command, section="sec-actions-doctor")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@report_options
@click.option("--offline", is_flag=True, help="Do not ask GitHub.")
@click.option("--strict", is_flag=True, help="Fail also on warnings and on what could not be verified.")
def doctor(path: Path | None, form: str, output: Path | None, offline: bool, strict: bool) -> int:
    """Find the reasons why publishing from GitHub Actions would fail, before a tag is pushed."""
    from labhandbook.core.report import counts
    from labhandbook.github.doctor import examine

    progress = Progress()
    found = examine(path or Path(), offline=offline)
    show_report(found.findings, form, output, "Release doctor")
    failed = found.findings.failed(strict=strict)
    uploads = len(found.repository.publications)
    progress.last(not failed, f"{found.repository.slug or found.repository.root.name}: {uploads} "
                              f"upload{'s' if uploads != 1 else ''}, {found.findings.rules} rules: "
                               f"{counts(found.findings)}")
    return FINDINGS if failed else FINE
