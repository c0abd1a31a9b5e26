"""`handbook recipe`: from a release on PyPI to conda-forge. Each command parses, calls one function and prints."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from labhandbook.cli.report_options import findings_format_option, report_options, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command, Tidy, shown
from labhandbook.core import job_summary
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.rules import Finding, Findings
from labhandbook.core.terminal import Progress, paint, show_findings


@click.group(cls=Tidy, context_settings={"help_option_names": ["-h", "--help"]})
def recipe() -> None:
    """Bring a package to conda-forge and keep its recipe up to date."""


def index_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names another index than PyPI."""
    return click.option("--index", "target", default="pypi", show_default=True,
                        help="The index that has the release: pypi, testpypi or an address.")(function)


@recipe.command(cls=Command, section="sec-conda-forge-generate")
@click.argument("wanted", metavar="NAME|SDIST")
@click.option("--maintainer", "maintainers", multiple=True, help="A GitHub name; may be given again.")
@click.option("--license", "licence", default="", help="The SPDX expression, where the files don't say it.")
@click.option("--test-command", "commands", multiple=True, help="A command that must succeed; may be given again.")
@click.option("--pytest", is_flag=True, help="Run the test suite that the sdist ships.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default=".",
              help="The folder that has or gets recipes/ (default: this one).")
@click.option("--force", is_flag=True, help="Replace a recipe that exists.")
@index_option
def new(wanted: str, output: Path, force: bool, **wishes: Any) -> int:
    """Write the recipe of a release.

    The release is NAME or NAME==VERSION on PyPI, or the path of an sdist.
    """
    from labhandbook.package.index_addresses import index
    from labhandbook.recipe.new_recipe import Wishes
    from labhandbook.recipe.new_recipe import new as write
    from labhandbook.recipe.recipe_lint import lint
    from labhandbook.recipe.source_address import check_address

    progress, asked = Progress(), Wishes(**wishes)
    made = write(wanted, output, asked, force=force)
    for note in made.recipe.notes:
        click.echo(f"{paint('!', 'yellow')} {note}", err=True)
    place = index(asked.target)
    found = lint([made.path], lambda reading: check_address(reading, place).findings)
    show_findings(found.findings)
    job_summary.tell_findings(found.findings, f"Recipe of {made.recipe.name} {made.recipe.version}")
    todo = "correct what is named above"
    if not found.findings.failed():
        todo = f"next: handbook recipe {'build' if made.recipe.noarch else 'lint'} {shown(made.path.parent)}"
    if not found.findings.failed() and made.recipe.noarch and "/" in wanted:
        todo += f" --dist {Path(wanted) if Path(wanted).is_dir() else Path(wanted).parent}"
    progress.last(not found.findings.failed(),
                  f"{shown(made.path)} for {made.recipe.name} {made.recipe.version}; {todo};")
    return FINDINGS if found.findings.failed() else FINE


@recipe.command(cls=Command, section="sec-conda-forge-check")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@report_options
@click.option("--offline", is_flag=True, help="Don't ask the index for the source, nor GitHub for the maintainers.")
@click.option("--advice", is_flag=True, help="Add what this handbook advises and conda-forge does not ask for.")
@index_option
def lint(paths: tuple[Path, ...], form: str, output: Path | None, offline: bool, advice: bool, target: str) -> int:
    """Check recipes as conda-forge's linter does: its lints are errors, its hints are warnings.

    Recipes are v1 or v0: files, their folders, feedstocks, or the recipes/ folder of a clone. The source is fetched
    from its address and compared with what the index lists, and GitHub is asked whether it has the maintainers.
    """
    from labhandbook.core.report import counts
    from labhandbook.package.index_addresses import index
    from labhandbook.recipe.conda_forge_facts import facts
    from labhandbook.recipe.maintainer_names import GitHubNames
    from labhandbook.recipe.recipe_lint import lint as judge
    from labhandbook.recipe.source_address import check_address

    progress = Progress()
    place = None if offline else index(target)
    names = GitHubNames("because of --offline" if offline else "")
    found = judge(paths or (Path(),), advice=advice,
                  also=lambda reading: [*check_address(reading, place).findings, *names.check(reading)])
    show_report(found.findings, form, output, "Recipe check")
    progress.last(not found.findings.failed(), f"{', '.join(found.files)}: {found.findings.rules} rules as in "
                  f"conda-smithy {facts()['conda-smithy']}: {counts(found.findings)}")
    return FINDINGS if found.findings.failed() else FINE


@recipe.command(cls=Command, section="sec-conda-forge-build")
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.option("--dist", "dists", multiple=True, type=click.Path(path_type=Path),
              help="A folder or file with dists that PyPI doesn't have yet: the source, or wheels that the package "
                   "needs; may be given again.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default="output", show_default=True,
              help="A folder for the package.")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="A file for all output of the build.")
@click.option("--offline", is_flag=True,
              help="Use a channel made of PyPI's wheels and this machine's Python, not conda-forge; it proves less.")
@findings_format_option
@index_option
def build(path: Path, dists: tuple[Path, ...], output: Path, log: Path | None, offline: bool, form: str,
          target: str) -> int:
    """Build, test and install a recipe here.

    It is built and tested with conda-forge's packages, then the package is installed into an empty environment and
    imported. If conda-forge can't be reached, or lacks packages that --dist holds, the command continues as with
    --offline and says so. Neither conda nor Docker is needed.
    """
    from labhandbook.core.report import counts
    from labhandbook.recipe.recipe_build import build as make

    progress = Progress()
    built = make(path, output, dists=dists, target=target, offline=offline, stage=progress.stage)
    progress.end()
    if log:
        _write(log, "\n".join(built.log) + "\n")
    _show(built.findings, form, "Recipe build")
    if built.package is None:
        hint = " (all output of the build: --log build.txt)" if built.log and not log else ""
        progress.last(False, f"{counts(built.findings)}; no package was made{hint}")
        return FINDINGS
    progress.last(True, f"{shown(built.package.resolve())} built, tested, installed and imported with Python "
                        f"{built.python}; next: handbook recipe submit {path};")
    return FINE


@recipe.command(cls=Command, section="sec-conda-forge-update")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("dist", type=click.Path(path_type=Path), required=False)
@click.option("--version", default="", help="The release to compare with (default: the newest).")
@click.option("--change", default="", metavar="BRANCH|DIFF",
              help="Compare the recipe after the change of this branch or .diff file with the release it is about.")
@click.option("--write", is_flag=True, help="Write version, hash and build number into the recipe.")
@findings_format_option
@index_option
def diff(path: Path, dist: Path | None, version: str, change: str, write: bool, form: str, target: str) -> int:
    """Compare a recipe with its release.

    PATH is a recipe or a checkout of a feedstock; the release is the one on PyPI, or the sdist in DIST. --change
    checks a pull request of conda-forge's bot without checking it out.
    """
    from labhandbook.core.report import counts
    from labhandbook.recipe.recipe_diff import diff as compare

    progress = Progress()
    if write and change:
        raise click.UsageError("--write changes the recipe that is checked out, --change compares another one")
    found = compare(path, dist, version, target, change)
    _show(found.findings, form, "Recipe against its release")
    reading, text = found.reading, found.edits.text
    changed = text != reading.text and not change
    if changed and form == "text":
        click.echo("".join(difflib.unified_diff(reading.text.splitlines(True), text.splitlines(True), reading.file,
                                                f"{reading.file} (updated)")), nl=False)
    summary = f"{reading.file} against {found.release.name} {found.release.version}: {counts(found.findings)}"
    failed = found.findings.failed()
    if write and changed:
        _write(reading.path, found.edits.data)
        failed = Findings.of(found.left).failed()
        summary += f"; {reading.file} is written" + (f", {len(found.left)} to correct by hand" if found.left else "")
    elif changed:
        summary += "; write version, hash and build number with --write"
    progress.last(not failed, summary)
    return FINDINGS if failed else FINE


@recipe.command(cls=Command, section="sec-conda-forge-pr")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--clone", type=click.Path(path_type=Path), default=".",
              help="The clone of your fork of staged-recipes (default: this folder).")
@click.option("--branch", default="", help="The name of the branch (default: NAME-recipe).")
@click.option("--gh", is_flag=True, help="Push the branch and open the pull request with GitHub's gh.")
def submit(path: Path, clone: Path, branch: str, gh: bool) -> int:
    """Propose a recipe in a clone of staged-recipes.

    It makes the branch and the commit and prints the pull request's text; nothing is sent without --gh.
    """
    from labhandbook.recipe.submit import submit as propose

    progress = Progress()
    made = propose(path, clone, branch=branch, gh=gh)
    if isinstance(made, Findings):
        show_findings(made)
        progress.last(False, "the recipe has errors, nothing was changed")
        return FINDINGS
    show_findings(made.findings)
    _proposal(made, progress)
    return FINE


@recipe.command(cls=Command, section="sec-conda-forge-update")
@click.argument("feedstock", type=click.Path(path_type=Path), default=".")
@click.option("--version", default="", help="The release to take (default: the newest).")
@click.option("--build-number", "again", is_flag=True, help="Raise the build number by one, and nothing else.")
@click.option("--branch", default="", help="The name of the branch (default: update-VERSION).")
@click.option("--gh", is_flag=True, help="Push the branch and open the pull request with GitHub's gh.")
@index_option
def update(feedstock: Path, version: str, again: bool, branch: str, gh: bool, target: str) -> int:
    """Bring a feedstock to a new release.

    Version, hash and build number change on a branch with a commit; other differences are listed for you to correct.
    A change that would give the recipe a new error is refused. Nothing is sent without --gh.
    """
    from labhandbook.recipe.submit import bump
    from labhandbook.recipe.submit import update as propose

    progress = Progress()
    if again:
        _proposal(bump(feedstock, branch=branch, gh=gh), progress)
        return FINE
    found, made = propose(feedstock, version, branch=branch, gh=gh, target=target)
    show_findings(found.left)
    failed = Findings.of(found.left).failed()
    if made:
        _proposal(made, progress)
        return FINDINGS if failed else FINE
    release = f"{found.release.name} {found.release.version}"
    file = found.reading.file
    progress.last(not failed, f"{file} differs from {release}, and nothing was changed; correct it by hand" if failed
                  else f"{file} has version and hash of {release}; nothing to do")
    return FINDINGS if failed else FINE


def _proposal(made: Any, progress: Progress) -> None:
    """The texts of a proposal, and what to do next."""
    click.echo(f"# {made.title}\n\n{made.text}")
    click.echo("Comments on the pull request")
    for comment in made.comments:
        click.echo(f"\n  {comment.occasion}:\n    {comment.words}")
    where = f"opened {made.opened}" if made.opened else f"next: git push --set-upstream origin {made.branch}"
    progress.last(True, f"branch {made.branch}, commit {made.commit}; text in {shown(made.body)}; {where};")


def _show(findings: Sequence[Finding], form: str, title: str) -> None:
    """Findings beside other output: text on standard error, other formats alone on standard output."""
    if form == "text":
        show_findings(findings)
        job_summary.tell_findings(findings, title)
    else:
        show_report(findings, form, None, title)


def _write(path: Path, text: str | bytes) -> None:
    """Write a file. Raises HandbookError when that can't be done."""
    try:
        write_atomic(path, text)
    except OSError as error:
        raise HandbookError(f"{path} can't be written: {error.strerror or error}", todo="choose another file",
                            section="sec-conda-forge-check") from None
