"""`handbook release`: from a commit to a verified package. Each command parses, calls one function and prints."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labhandbook.cli import github_commands  # noqa: F401
from labhandbook.cli.release_group import (
    TARGETS,
    Asked,
    check_equipped,
    check_only_files,
    dev_option,
    files_argument,
    paths_argument,
    release,
    show_beginning,
    show_results,
    testing_options,
    verify_options,
)
from labhandbook.cli.report_options import format_option, report_options, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command
from labhandbook.core.errors import HandbookError
from labhandbook.core.terminal import Progress

if TYPE_CHECKING:
    from labhandbook.release.inspection import Inspection


@release.command(cls=Command, section="sec-pypi-metadata")
@files_argument
@report_options
@click.option("--offline", is_flag=True, help="Ask neither the git remote nor the index.")
@click.option("--strict", is_flag=True, help="Fail also on warnings and on what could not be verified.")
@click.option("--untagged", is_flag=True, help="Leave out the rules for a tagged commit, as in a commit hook.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Check as if it were this day.")
def check(paths: tuple[Path, ...], files: tuple[str, ...], form: str, output: Path | None, offline: bool,
          strict: bool, untagged: bool, today: datetime | None) -> int:
    """Check sources, git and metadata before anything is built, or files that were built."""
    from labhandbook.core.report import counts
    from labhandbook.core.rules import Findings
    from labhandbook.release import check_project

    progress = Progress()
    if files:
        check_only_files(paths)
        seen = inspect_files(files)
        findings = Findings.of(found for _, _, each in seen for found in each.findings)
        names, rules = ", ".join(f"{name} {version}" for name, version, _ in seen), ""
    else:
        done = check_project.check(paths or (Path(),), offline=offline, today=today.date() if today else None,
                                   without=check_project.BEFORE_THE_COMMIT if untagged else ())
        findings, rules = done.findings, f"{done.findings.rules} rules: "
        names = ", ".join(project.name or project.root.name for project in done.projects)
    show_report(findings, form, output, "Release check")
    failed = findings.failed(strict=strict)
    progress.last(not failed, f"{names}: {rules}{counts(findings)}")
    return FINDINGS if failed else FINE


def inspect_files(files: tuple[str, ...], compare_with: str | None = "none") -> list[tuple[str, str, Inspection]]:
    """Name, version and inspection of each release whose files are given by path or address."""
    from tempfile import TemporaryDirectory

    from labhandbook.release import given_files

    check_equipped()
    with TemporaryDirectory(prefix="handbook-files-") as folder:
        return [(each.name, each.version, given_files.inspect(
                    each, compare_with or each.project.settings.compare_with, Path(folder)))
                for each in given_files.read_all(files, Path(folder))]


@release.command(cls=Command, section="sec-pypi-build")
@files_argument
@report_options
@dev_option
def build(**given: Any) -> int:
    """Build sdist and wheel of this commit once, and prove that the build can be repeated; or take the FILEs."""
    from labhandbook.release import release_steps

    asked = Asked(**given)
    with asked.to_build() as releases:
        results = release_steps.run_all(releases, release_steps.steps("build"), show_beginning)
        after = "publish --to testpypi --dev" if asked.dev else "inspect"
        return show_results(results, asked, "Release build", f"next: handbook release {after}")


@release.command(cls=Command, section="sec-pypi-inspect")
@files_argument
@report_options
@click.option("--compare-with", metavar="INDEX",
              help="The index of the last release, or none (default: compare-with in the settings).")
def inspect(compare_with: str | None, **given: Any) -> int:
    """Show what is in the files, what changed since the last release, and what PyPI would refuse."""
    from labhandbook.core.report import counts
    from labhandbook.core.rules import Findings
    from labhandbook.release import release_steps, step_actions

    asked, progress = Asked(**given), Progress()
    if asked.files:
        check_only_files(asked.paths)
        seen = inspect_files(asked.files, compare_with)
    else:
        releases = asked.releases(asked.options(), build=True)
        for each, result in release_steps.run_all(releases, release_steps.steps("build"), show_beginning):
            if result.state == "failed":
                return show_results([(each, result)], asked, "Release build", "")
        seen = [(each.project.name, each.version, step_actions.inspect(
                    each, compare_with or each.project.settings.compare_with)) for each in releases]
    findings = Findings.of(finding for _, _, inspection in seen for finding in inspection.findings)
    if asked.form == "json" and asked.output is None:
        click.echo(json.dumps([{"project": name, "version": version, **inspection.as_json()}
                               for name, version, inspection in seen], indent=2))
    else:
        if asked.form == "text":
            click.echo("\n".join(line for _, _, inspection in seen for line in inspection.lines()))
        show_report(findings, asked.form, asked.output, "Release inspection")
    names = ", ".join(f"{name} {version}" for name, version, _ in seen)
    progress.last(not findings.failed(), f"{names}: {counts(findings)}")
    return FINDINGS if findings.failed() else FINE


@release.command(cls=Command, section="sec-pypi-test")
@files_argument
@report_options
@testing_options
def test(**given: Any) -> int:
    """Test the files in clean environments, outside the project, on every Python found."""
    from labhandbook.release import release_steps

    asked = Asked(**given)
    releases = asked.releases(asked.options(), build=True)
    results = release_steps.run_all(releases, release_steps.steps("test"), show_beginning)
    return show_results(results, asked, "Release test", "next: handbook release rehearse")


@release.command(cls=Command, section="sec-pypi")
@files_argument
@report_options
@testing_options
@click.option("--offline", is_flag=True, help="Ask neither the git remote nor PyPI; installers still do.")
@click.option("--untagged", is_flag=True, help="Rehearse a commit without a tag, as version 1.2.1.dev3 for example.")
def rehearse(**given: Any) -> int:
    """Carry out a whole release with an index on this machine; nothing leaves it."""
    from labhandbook.package.project import load_projects
    from labhandbook.release import rehearsal

    asked = Asked(**given)
    check_equipped()
    results = rehearsal.rehearse(load_projects(asked.paths or (Path(),), ask_remote=False), asked.options(),
                                 show_beginning, untagged=asked.untagged, files=asked.local_files())
    after = "tag the commit" if asked.untagged else "handbook release publish --to testpypi"
    return show_results(results, asked, "Release rehearsal", f"next: {after}")


@release.command(cls=Command, section="sec-pypi-upload")
@files_argument
@report_options
@verify_options
@click.option("--to", "target", metavar="INDEX", required=True, help=f"Where to: {TARGETS}.")
@click.option("--yes", is_flag=True, help="Don't ask before what can't be undone.")
@click.option("--upload-only", is_flag=True, help="Don't wait for the files and test them; verify does it later.")
@click.option("--no-attestations", is_flag=True, help="Don't sign the files on GitHub Actions.")
@dev_option
def publish(**given: Any) -> int:
    """Upload the files that were rehearsed, byte for byte. An upload that was interrupted continues."""
    from labhandbook.package import index_addresses
    from labhandbook.release import release_steps
    from labhandbook.release.dev_version import bound_for

    asked = Asked(**given)
    confirm = (lambda question: click.confirm(question, err=True)) if sys.stdin.isatty() else None
    releases = []
    if asked.files or asked.dev:
        with asked.to_build() as taken:
            for each, result in release_steps.run_all(taken, release_steps.steps("build"), show_beginning):
                if result.state == "failed":
                    return show_results([(each, result)], asked, "Publication", "")
        releases = bound_for(taken, index_addresses.index(asked.target)) if asked.dev else []
    releases = releases or asked.releases(asked.options(confirm), uploads=asked.upload_only)
    steps = release_steps.steps("publish", releases[0].target, verify=not asked.upload_only)
    after = f"verify --from {asked.target}" if asked.upload_only else "status"
    return show_results(release_steps.run_all(releases, steps, show_beginning), asked, "Publication",
                        f"next: handbook release {after}")


@release.command(cls=Command, section="sec-pypi-install")
@paths_argument
@report_options
@verify_options
@click.option("--from", "target", metavar="INDEX", required=True, help=f"Where from: {TARGETS}.")
def verify(**given: Any) -> int:
    """Fetch a published version back by hash, install it as users do, and test it."""
    from labhandbook.release import release_steps

    asked = Asked(**given)
    releases = asked.releases(asked.options())
    steps = release_steps.steps("verify", releases[0].target)
    return show_results(release_steps.run_all(releases, steps, show_beginning), asked, "Verification",
                        "next: handbook release status")


@release.command(cls=Command, section="sec-pypi-ways")
@paths_argument
@format_option
def status(**given: Any) -> int:
    """Show how far a version is: git, its host, the indexes, the steps of a release, and what is left to do."""
    from labhandbook.release import release_status

    asked = Asked(**given)
    found = [release_status.status(each) for each in asked.releases(asked.options(), remote=True)]
    click.echo(json.dumps([each.as_json() for each in found], indent=2) if asked.form == "json" else
               "\n".join(line for each in found for line in each.lines()))
    return FINE


@release.command(cls=Command, section="sec-updating-prepare")
@click.argument("path", type=click.Path(path_type=Path), default=".")
def notes(path: Path) -> int:
    """Print the section of the change log for this version; where there is none, one made of fragments or titles.

    Fragments are those of towncrier, scriv and reno, titles those of the pull requests since the last tag.
    """
    from labhandbook.package.project import load_project
    from labhandbook.package.release_notes import notes as find
    from labhandbook.package.version import version_of

    project = load_project(path, ask_remote=False)
    found = find(project, version := version_of(project))
    if not found.text:
        raise HandbookError(f"nothing says what is new in {project.name} {version}", section="sec-updating-prepare",
                            why="the change log has no section for it, and there are no fragments or pull requests",
                            todo="write the section yourself")
    click.echo(found.text)
    Progress().last(True, f"{project.name} {version}: from {found.source}")
    return FINE


@release.command(cls=Command, section="sec-pypi-ways")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", default="", help="The package's name (default: the folder's).")
@click.option("--description", default="", help="What it does, in one sentence.")
@click.option("--author", default="", help="Default: git's user.name.")
@click.option("--email", default="", help="Default: git's user.email.")
@click.option("--repository", default="", help="The address of its repository.")
def new(folder: Path, name: str, **given: str) -> int:
    """Start a package that passes every rule; overwrites nothing."""
    from labhandbook.release import new_package

    name = name or folder.resolve().name
    made = new_package.new(folder, new_package.Answers(name, **given))
    click.echo("\n".join(str(path) for path in made))
    Progress().last(True, f"{name}: {len(made)} files in {folder}",
                    "next: " + "; ".join(new_package.following(folder, name)))
    return FINE
