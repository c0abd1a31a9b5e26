"""The group `handbook release`, and what its commands share: their settings, the projects, how steps are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labhandbook.cli.report_options import show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Tidy
from labhandbook.core import job_summary
from labhandbook.core.errors import HandbookError
from labhandbook.core.kit_extras import kit_with
from labhandbook.core.terminal import Progress, paint

if TYPE_CHECKING:
    from labhandbook.core.steps import Result, Step
    from labhandbook.release.step_actions import Options, Release

TARGETS = "pypi, testpypi or an index's address"


@click.group(cls=Tidy, context_settings={"help_option_names": ["-h", "--help"]})
def release() -> None:
    """Release a Python package, step by step as in the packaging chapter."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks of a release; each command sets the fields that it has options for."""

    paths: tuple[Path, ...] = ()
    files: tuple[str, ...] = ()
    form: str = "text"
    output: Path | None = None
    pythons: tuple[str, ...] = ()
    no_lowest: bool = False
    offline: bool = False
    untagged: bool = False
    dev: bool = False
    target: str = ""
    patience: float = 20.0
    yes: bool = False
    upload_only: bool = False
    no_attestations: bool = False

    def options(self, confirm: Callable[[str], bool] | None = None) -> Options:
        """The options of the steps. Progress is shown on standard error."""
        from labhandbook.release.step_actions import Options

        return Options(self.pythons, not self.no_lowest, self.offline, self.yes, not self.no_attestations,
                       patience=self.patience * 60, confirm=confirm, say=say)

    def releases(self, options: Options, *, remote: bool = False, build: bool = False,
                 uploads: bool = False) -> list[Release]:
        """The releases of the projects in these folders, on their way to the index that was named, if one was.

        An upload alone needs no sources: `uploads` takes a folder that has only the files and their ledger. With
        `build` the given files, if there are any, take the place of a build.
        """
        from labhandbook.package import index_addresses
        from labhandbook.package.project import load_projects
        from labhandbook.release import release_steps

        check_equipped()
        index = index_addresses.index(self.target) if self.target else None
        folders = self.paths or (Path(),)
        brought = release_steps.fetched(folders[0]) if uploads and len(folders) == 1 else None
        projects = [brought] if brought else load_projects(folders, ask_remote=remote)
        files = self.local_files() if build else []
        return release_steps.open_releases(projects, options, index, build=build, files=files)

    @contextmanager
    def to_build(self) -> Iterator[list[Release]]:
        """The releases to be built here or taken from files, on the way to no index; with `dev` as dev versions."""
        from labhandbook.package.project import load_projects
        from labhandbook.release.dev_version import dev_releases

        if not self.dev:
            yield replace(self, target="").releases(self.options(), build=True)
            return
        check_equipped()
        if self.files:
            raise HandbookError("--dev builds, and files are given", todo="leave out --dev or the files",
                                why="a file that is built has its version", section="sec-actions-dev")
        with dev_releases(load_projects(self.paths or (Path(),), ask_remote=False), self.options()) as releases:
            yield releases

    def local_files(self) -> list[Path]:
        """The given files. Raises HandbookError for an address: a release is made of files that are here."""
        for file in self.files:
            if "://" in file:
                raise HandbookError(f"{file} is an address", todo="download the file, and give its path",
                                    why="only files that are here can be tested and published",
                                    section="sec-pypi-files")
        return [Path(file) for file in self.files]


def paths_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The projects' folders; the current one when none is given."""
    return click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))(function)


def files_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The projects' folders, or built files by path or address; they come as `paths` and `files`."""
    def split(context: click.Context, _: click.Parameter, given: tuple[str, ...]) -> tuple[Path, ...]:
        files = tuple(each for each in given if "://" in each or each.endswith((".whl", ".tar.gz")))
        context.params["files"] = files
        return tuple(Path(each) for each in given if each not in files)

    return click.argument("paths", metavar="[PATH|FILE]...", nargs=-1, callback=split)(function)


def check_only_files(paths: tuple[Path, ...]) -> None:
    """Raises HandbookError when folders are given beside files, of which each is looked at by itself."""
    if paths:
        raise HandbookError(f"{paths[0]} is given together with built files",
                            why="files are inspected by themselves, without the sources of a project",
                            todo="give folders or files", section="sec-pypi-files")


def dev_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option of commands that build a commit without a tag for TestPyPI."""
    return click.option("--dev", is_flag=True,
                        help="Build a commit without a tag as a dev version, such as 1.2.1.dev3.")(function)


def testing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that install and test."""
    function = click.option("--no-lowest", is_flag=True, help="Don't test the lowest dependencies.")(function)
    return click.option("--python", "pythons", multiple=True, metavar="X.Y",
                        help="A Python to test on; may be given again (default: all that are found).")(function)


def verify_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that install from an index."""
    function = click.option("--python", "pythons", multiple=True, metavar="X.Y",
                            help="The Python to verify on.")(function)
    return click.option("--patience", type=click.FloatRange(0), default=20.0, show_default=True,
                        help="Minutes to wait until the index lists the files.")(function)


def say(line: str) -> None:
    """Show on standard error how far the work is."""
    click.echo(f"    {line}", err=True)


def check_equipped() -> None:
    """Raises HandbookError when what a release needs isn't installed with this package."""
    from importlib.util import find_spec

    missing = [name for name in ("build", "packaging", "twine") if find_spec(name) is None]
    if missing:
        raise HandbookError(f"{', '.join(missing)} isn't installed", why="it is in the extra for releases",
                            todo=kit_with("release"), section="sec-kit-extras")


def show_beginning(each: Release, step: Step[Release]) -> None:
    """Show that a step begins."""
    click.echo(f"{paint('›', 'cyan')} {step.name:<8} {each.project.name} {each.version}: {step.does}", err=True)


def show_results(results: Iterable[tuple[Release, Result]], asked: Asked, title: str, then: str) -> int:
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
    show_report(findings, asked.form, asked.output, title)
    progress.last(not failed, f"{what}: {failed} failed" if failed else f"{what}: all steps passed",
                  "" if failed else then)
    return FINDINGS if failed else FINE
