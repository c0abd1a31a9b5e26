"""The steps of a release, in the order of the chapter: `status` lists the steps that the commands carry out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.steps import Result, Step, carry_out
from labhandbook.package import distribution
from labhandbook.package.index_addresses import Index, shown
from labhandbook.package.project import PYPROJECT, Project
from labhandbook.package.version import version_of
from labhandbook.release import step_actions
from labhandbook.release.adopted_files import belonging
from labhandbook.release.file_origin import check_untracked
from labhandbook.release.package_build import asked
from labhandbook.release.release_folder import REHEARSAL, State
from labhandbook.release.step_actions import Options, Release

Begin = Callable[[Release, Step[Release]], None]
WORKFLOWS = {
    "build": ("build",),
    "test": ("build", "test"),
    "rehearse": ("check", "build", "inspect", "gate", "test", "upload", "verify"),
    "publish": ("gate", "upload", "verify"),
    "verify": ("verify",),
}


@dataclass(frozen=True)
class Planned:
    """A step as `status` lists it; `state` is "done" or "to do"."""

    step: str
    section: str
    does: str
    needs: tuple[str, ...]
    leaves: str
    state: str


def steps(workflow: str, target: str = REHEARSAL, *, verify: bool = True) -> list[Step[Release]]:
    """The steps of a workflow that ends on an index."""
    rehearsed, files = target == REHEARSAL, ("the files",)
    where = "an index on this machine" if rehearsed else shown(target)
    made = [
        Step("check", "sec-pypi-metadata", "check sources, git and metadata by the rules", step_actions.run_check,
             ("the sources",), "findings"),
        Step("build", "sec-pypi-build", "build sdist and wheel from the commit, again elsewhere, and compare",
             step_actions.run_build, ("a commit with its tag",), "two files, their sha256 in the ledger",
             step_actions.build_key),
        Step("inspect", "sec-pypi-inspect", "look inside and compare with the last release", step_actions.run_inspect,
             files, "findings"),
        Step("gate", "sec-pypi-check", "find what PyPI would refuse", step_actions.run_gate, files, "findings"),
        Step("test", "sec-pypi-test", "install the files in clean environments and run the tests there",
             step_actions.run_test, (*files, "Pythons that requires-python admits"), "results in the ledger",
             # If you ask for the tests alone, you want them to run again.
             None if workflow == "test" else step_actions.suite_key),
        Step("upload", "sec-pypi-testpypi" if rehearsed or target == "testpypi" else "sec-pypi-upload",
             f"upload the files to {where} with twine", step_actions.run_upload,
             files if rehearsed else (*files, "a token or a trusted publisher"),
             f"the files on {where}" + (", for good" if target == "pypi" else ""), step_actions.upload_key),
        Step("verify", "sec-pypi-install", f"wait for {where}, fetch the files back by hash, install, test",
             step_actions.run_verify, (f"the files on {where}",), "proof that users get what was tested"),
    ]
    names = [name for name in WORKFLOWS[workflow] if verify or name != "verify"]
    return [step for name in names for step in made if step.name == name]


def run_all(releases: Sequence[Release], workflow: Sequence[Step[Release]],
            begin: Begin = lambda release, step: None) -> Iterator[tuple[Release, Result]]:
    """Carry out a workflow for several releases in the order given; a step that fails is the last."""
    for release in releases:
        for result in run(release, workflow, partial(begin, release)):
            yield release, result
            if result.state == "failed":
                return


def run(release: Release, workflow: Sequence[Step[Release]],
        begin: Callable[[Step[Release]], None] = lambda step: None) -> Iterator[Result]:
    """Carry out a workflow for one release; its log says when each step began and ended."""
    def note(step: Step[Release]) -> None:
        release.state.log(f"begin {step.name} {release.target}")
        begin(step)

    with release.state.locked():
        for result in carry_out(workflow, release, release.state.ledger(release.target), note):
            release.state.log(f"{result.state} {result.step} {release.target}")
            yield result


def plan(release: Release, workflow: Sequence[Step[Release]]) -> list[Planned]:
    """The steps of a workflow, and whether the ledger says that each was done with the inputs of now."""
    ledger = release.state.ledger(release.target)
    built = ledger.entries.get("build", {}).get("at", "")

    def done(step: Step[Release]) -> bool:
        entry = ledger.entries.get(step.name)
        if entry is None or (step.name != "check" and entry["at"] < built):
            return False
        key = step.key(release) if step.key else entry["key"]
        return ledger.holds(step.name, key) and (step.key is None or bool(key))

    return [Planned(step.name, step.section, step.does, step.needs, step.leaves, "done" if done(step) else "to do")
            for step in workflow]


def fetched(folder: Path) -> Project | None:
    """The project whose files were built elsewhere and brought here without its sources; None where sources are.

    Its name and version are those of the sdist, so nothing but the files and their ledger is read.
    """
    found = sorted((folder / ".handbook" / "release").glob("*/dist/*.tar.gz"))
    if (folder / PYPROJECT).exists() or len(found) != 1:
        return None
    sdist = distribution.read(found[0])
    table = {"name": str(sdist.metadata.get("name", "")), "version": sdist.version}
    return Project(folder.resolve(), {"project": table}, "", None)


def open_releases(projects: Sequence[Project], options: Options, index: Index | None = None, *,
                  build: bool = False, files: Sequence[Path] = ()) -> list[Release]:
    """The releases of projects, in the order given, in which each comes after what it depends on.

    They go to `index`, or are rehearsed. With `build` the backend is asked for the version that only it knows.
    `files` were built elsewhere and take the place of a build.

    Raises HandbookError when two have one name, a version is unknown, a file belongs to none, or git tracks a folder
    of ledgers and files.
    """
    if build:
        projects = [asked(project) for project in projects]
    names = [project.normalised for project in projects]
    if len(set(names)) < len(names):
        raise HandbookError("two of these projects have the same name", why=", ".join(sorted(names)),
                            todo="name each project once", section="sec-pypi-metadata")
    releases: list[Release] = []
    for project in projects:
        check_untracked(project)
        version = version_of(project)
        releases.append(Release(project, State(project, version), index.name if index else REHEARSAL, index, options,
                                earlier=list(releases), given=belonging(files, project, version)))
    taken = {file.path for release in releases for file in release.given}
    if left := [file for file in files if file not in taken]:
        raise HandbookError(f"{left[0].name} is of none of these projects", why=", ".join(names),
                            todo="run the command in the folder of its project", section="sec-pypi-files")
    return releases
