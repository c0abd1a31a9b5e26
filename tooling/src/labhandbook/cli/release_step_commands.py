"""The commands of `handbook release` that carry out a workflow or tell where it stands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labhandbook.cli.release_group import paths_argument, release
from labhandbook.cli.report_options import format_option, report_options, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command
from labhandbook.core import job_summary
from labhandbook.core.errors import HandbookError
from labhandbook.core.terminal import Progress, paint

if TYPE_CHECKING:
    from labhandbook.core.steps import Result, Step
    from labhandbook.release.step_actions import Options, Release

TARGETS = "pypi, testpypi or an index's address"


def trial_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that install and test."""
    function = click.option("--no-lowest", is_flag=True, help="Don't test the lowest dependencies.")(function)
    return click.option("--python", "pythons", multiple=True, metavar="X.Y",
                        help="A Python to test on; may be given again (default: all that are found).")(function)


def patience_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that says how long to wait for an index."""
    return click.option("--patience", type=click.FloatRange(0), default=20.0, show_default=True,
                        help="Minutes to wait until the index shows the files.")(function)


@release.command(cls=Command, section="sec-pypi")
@paths_argument
@click.option("--to", "target", metavar="INDEX", help=f"Plan the publication: {TARGETS} (default: the rehearsal).")
@format_option
def plan(paths: tuple[Path, ...], target: str | None, form: str) -> int:
    """Show the steps of a release, what each needs, and which are done; carries out none."""
    from labhandbook.package import index_addresses
    from labhandbook.release import release_steps
    from labhandbook.release.release_folder import REHEARSAL

    name = index_addresses.index(target).name if target else REHEARSAL
    listed = [(each, release_steps.plan(each, release_steps.steps("publish" if target else "rehearse", name)))
              for each in open_projects(paths, make_options(), name)]
    if form == "json":
        click.echo(json.dumps([{"project": each.project.name, "version": each.version, "steps": steps}
                               for each, steps in listed], indent=2))
        return FINE
    for each, steps in listed:
        click.echo(f"{each.project.name} {each.version}")
        for number, step in enumerate(steps, 1):
            kept = " (kept from an earlier run)" if step["state"] == "kept" else ""
            click.echo(f"{number}. {step['step']:<8} {step['does']}{kept}\n"
                       f"   needs {', '.join(step['needs'])}; leaves {step['leaves']}; @{step['section']}")
    return FINE


@release.command(cls=Command, section="sec-pypi-test")
@paths_argument
@report_options
@trial_options
def test(paths: tuple[Path, ...], form: str, output: Path | None, pythons: tuple[str, ...], no_lowest: bool) -> int:
    """Test the files in clean environments, outside the project, on every Python found."""
    from labhandbook.release import release_steps

    releases = open_projects(paths, make_options(pythons=pythons, lowest=not no_lowest))
    results = release_steps.run_all(releases, release_steps.steps("test"), show_beginning)
    return show_results(results, form, output, "Release test", "next: handbook release rehearse")


@release.command(cls=Command, section="sec-pypi")
@paths_argument
@report_options
@trial_options
@click.option("--offline", is_flag=True, help="Ask neither the git remote nor PyPI; installers still do.")
@click.option("--lag", type=click.FloatRange(0), default=0.3, show_default=True,
              help="Seconds between an upload and its showing, as on a real index.")
@click.option("--untagged", is_flag=True, help="Rehearse a commit without a tag as the dev version that it is.")
def rehearse(paths: tuple[Path, ...], form: str, output: Path | None, pythons: tuple[str, ...], no_lowest: bool,
             offline: bool, lag: float, untagged: bool) -> int:
    """Go through a whole release against an index on this machine; nothing leaves it."""
    from labhandbook.package.project import load_projects
    from labhandbook.release.rehearsal import rehearse as carry_out

    _equipped()
    projects = load_projects(paths or (Path(),), ask_remote=False)
    options = make_options(pythons=pythons, lowest=not no_lowest, offline=offline, lag=lag)
    after = "tag the commit" if untagged else "handbook release publish --to testpypi"
    return show_results(carry_out(projects, options, show_beginning, untagged=untagged), form, output,
                        "Release rehearsal", f"next: {after}")


@release.command(cls=Command, section="sec-pypi-upload")
@paths_argument
@report_options
@patience_option
@click.option("--to", "target", metavar="INDEX", required=True, help=f"Where to: {TARGETS}.")
@click.option("--yes", is_flag=True, help="Don't ask before what can't be undone.")
@click.option("--upload-only", is_flag=True, help="Don't wait for the files and test them; verify does it later.")
@click.option("--no-attestations", is_flag=True, help="Don't sign the files on GitHub Actions.")
@click.option("--python", "pythons", multiple=True, metavar="X.Y", help="The Python to verify on.")
def publish(paths: tuple[Path, ...], form: str, output: Path | None, patience: float, target: str, yes: bool,
            upload_only: bool, no_attestations: bool, pythons: tuple[str, ...]) -> int:
    """Upload the files that were rehearsed, byte for byte; goes on where an upload broke off."""
    from labhandbook.release import release_steps

    options = make_options(pythons=pythons, patience=patience * 60, yes=yes, attest=not no_attestations,
                       confirm=_confirm if sys.stdin.isatty() else None)
    releases = _towards(paths, options, target)
    steps = release_steps.steps("publish", releases[0].target, verify=not upload_only)
    after = f"verify --from {target}" if upload_only else "status"
    return show_results(release_steps.run_all(releases, steps, show_beginning), form, output, "Publication",
                        f"next: handbook release {after}")


@release.command(cls=Command, section="sec-pypi-install")
@paths_argument
@report_options
@patience_option
@click.option("--from", "target", metavar="INDEX", required=True, help=f"Where from: {TARGETS}.")
@click.option("--python", "pythons", multiple=True, metavar="X.Y", help="The Python to verify on.")
def verify(paths: tuple[Path, ...], form: str, output: Path | None, patience: float, target: str,
           pythons: tuple[str, ...]) -> int:
    """Fetch a published version back by hash, install it as users do, and test it."""
    from labhandbook.release import release_steps

    releases = _towards(paths, make_options(pythons=pythons, patience=patience * 60), target)
    results = release_steps.run_all(releases, release_steps.steps("verify", releases[0].target), show_beginning)
    return show_results(results, form, output, "Verification", "next: handbook release status")


@release.command(cls=Command, section="sec-updating-publish")
@paths_argument
@format_option
def status(paths: tuple[Path, ...], form: str) -> int:
    """Show where a version stands: git, its host, the indexes, this machine, and what is left."""
    from labhandbook.release.status import left
    from labhandbook.release.status import status as ask

    answers = [(each, ask(each.project, each.state)) for each in open_projects(paths, make_options(), remote=True)]
    if form == "json":
        click.echo(json.dumps([{"project": each.project.name, "version": each.version, "left": left(lines),
                                "lines": [line.as_json() for line in lines]} for each, lines in answers], indent=2))
        return FINE
    for each, lines in answers:
        click.echo("\n".join([f"{each.project.name} {each.version}", *(f"  {line.as_text()}" for line in lines),
                              "  left to do:" if left(lines) else "  nothing is left to do",
                              *(f"    {what}" for what in left(lines))]))
    return FINE


@release.command(cls=Command, section="sec-updating-bad")
@paths_argument
@click.option("--version", "number", metavar="VERSION", help="The bad version (default: that of this commit).")
@format_option
def undo(paths: tuple[Path, ...], number: str | None, form: str) -> int:
    """Show how to take back a bad release: what can be undone, what can't, and where. Changes nothing."""
    from labhandbook.release.release_folder import State
    from labhandbook.release.undo import undo as ask

    shown = []
    for each in open_projects(paths, make_options(), remote=True, version=number):
        known, actions = ask(each.project, State(each.project, each.version))
        shown.append({"project": each.project.name, "version": each.version,
                      "actions": [action.as_json() for action in actions]})
        if form == "text":
            click.echo("\n".join([f"{each.project.name} {each.version}", *(f"  {line}" for line in known)]))
            for place, action in enumerate(actions, 1):
                click.echo(f"{place}. {action.title}\n   {action.how}\n   {action.why}\n   @{action.section}")
    if form == "json":
        click.echo(json.dumps(shown, indent=2))
    return FINE


@release.command(cls=Command, section="sec-pypi-ways")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="The package's name (default: the folder's).")
@click.option("--description", default="", help="What it does, in one sentence.")
@click.option("--author", default="", help="Default: git's user.name.")
@click.option("--email", default="", help="Default: git's user.email.")
@click.option("--repository", default="", help="The address of its repository.")
def new(folder: Path, name: str | None, description: str, author: str, email: str, repository: str) -> int:
    """Start a package that passes every rule; overwrites nothing."""
    from labhandbook.release.new_package import Answers, following
    from labhandbook.release.new_package import new as make

    made = make(folder, Answers(name or folder.resolve().name, description, author, email, repository))
    click.echo("\n".join(str(path) for path in made))
    Progress().last(True, f"{len(made)} files in {folder}", "next: " + "; ".join(following(folder)))
    return FINE


def make_options(**chosen: Any) -> Options:
    """The options of a run that tells its progress on standard error."""
    from labhandbook.release.step_actions import Options

    return Options(**chosen, say=lambda line: click.echo(f"    {line}", err=True))


def _confirm(question: str) -> bool:
    return click.confirm(question, err=True)


def open_projects(paths: tuple[Path, ...], options: Options, target: str = "rehearsal", *, remote: bool = False,
          version: str | None = None) -> list[Release]:
    """The releases of the projects in these folders; of one version if it is given."""
    from labhandbook.package.project import load_projects
    from labhandbook.release import release_steps

    _equipped()
    projects = load_projects(paths or (Path(),), ask_remote=remote)
    return release_steps.open_releases(projects, options, target, version=version)


def _equipped() -> None:
    """Raises HandbookError when what a release needs isn't installed with this package."""
    from importlib.util import find_spec

    missing = [name for name in ("build", "packaging", "twine") if find_spec(name) is None]
    if missing:
        raise HandbookError(f"{', '.join(missing)} isn't installed", why="it stands in the extra for releases",
                            todo="pip install 'labhandbook[release]'", section="sec-pypi-environment")


def _towards(paths: tuple[Path, ...], options: Options, target: str) -> list[Release]:
    """The releases on their way to an index."""
    from labhandbook.package import index_addresses

    index = index_addresses.index(target)
    releases = open_projects(paths, options, index.name)
    for each in releases:
        each.index = index
    return releases


def show_beginning(each: Release, step: Step[Release]) -> None:
    """Tell that a step begins."""
    click.echo(f"{paint('›', 'cyan')} {step.name:<8} {each.project.name} {each.version}: {step.does}", err=True)


def show_results(results: Iterable[tuple[Release, Result]], form: str, output: Path | None, title: str,
                 then: str) -> int:
    """Show each step as it ends, then the findings, then what was done and what comes next."""
    from labhandbook.package.findings import from_here

    progress, findings, failed = Progress(), [], ""
    names: dict[str, None] = {}
    rows = []
    try:
        for each, result in results:
            fine = result.state != "failed"
            mark = paint("✓", "green") if fine else paint("✗", "red")
            kept = " (kept)" if result.state == "kept" else ""
            click.echo(f"{mark} {result.step:<8} {result.seconds:6.2f} s{kept}  {result.outcome.summary}", err=True)
            rows.append((result.step, result.state, result.seconds, result.outcome.summary))
            root = each.project.root
            findings += [from_here(found, root) if (root / found.file).exists() else found
                         for found in result.outcome.findings]
            failed = "" if fine else result.step
            names[f"{each.project.name} {each.version}"] = None
    finally:
        job_summary.tell_steps(f"{title}: {', '.join(names)}", rows)
    what = ", ".join(names)
    show_report(findings, form, output, title)
    progress.last(not failed, f"{what}: {failed} failed" if failed else f"{what}: all steps passed",
                  "" if failed else then)
    return FINDINGS if failed else FINE
