"""The steps of a release, in the order of the chapter: what `plan` prints is what the commands carry out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.steps import Result, Step, carry_out
from labhandbook.package.index_addresses import Index, shown
from labhandbook.package.project import Project
from labhandbook.package.version import version_of
from labhandbook.release import step_actions
from labhandbook.release.file_origin import check_untracked
from labhandbook.release.release_folder import REHEARSAL, State
from labhandbook.release.step_actions import Options, Release

Begin = Callable[[Release, Step[Release]], None]
WORKFLOWS = {
    "test": ("build", "test"),
    "rehearse": ("check", "build", "inspect", "gate", "test", "upload", "verify"),
    "publish": ("gate", "upload", "verify"),
    "verify": ("verify",),
}


def silent(release: Release, step: Step[Release]) -> None:
    """Tell no one that a step begins."""


def steps(workflow: str, target: str = REHEARSAL, *, verify: bool = True) -> list[Step[Release]]:
    """The steps of a workflow that ends on an index."""
    names = [name for name in WORKFLOWS[workflow] if verify or name != "verify"]
    made = {step.name: step for step in (*_here(), *_on_index(target))}
    if workflow == "test":  # Who asks for nothing but the tests wants them run.
        made["test"] = replace(made["test"], key=None)
    return [made[name] for name in names]


def _here() -> list[Step[Release]]:
    """The steps that need no index."""
    files = ("the files",)
    return [
        Step("check", "sec-pypi-metadata", "hold sources, git and metadata against the rules", step_actions.run_check,
             ("the sources",), "findings"),
        Step("build", "sec-pypi-build", "build sdist and wheel from the commit, again elsewhere, and compare",
             step_actions.run_build, ("a commit with its tag",), "two files, their sha256 in the ledger",
             step_actions.build_key),
        Step("inspect", "sec-pypi-inspect", "look inside and compare with the last release", step_actions.run_inspect,
             files, "findings"),
        Step("gate", "sec-pypi-check", "refuse what PyPI would refuse", step_actions.run_gate, files, "findings"),
        Step("test", "sec-pypi-test", "install the files in clean environments and run the tests there",
             step_actions.run_test, (*files, "Pythons that requires-python admits"), "results in the ledger",
             step_actions.trial_key),
    ]


def _on_index(target: str) -> list[Step[Release]]:
    """The steps that end on an index."""
    rehearsed = target == REHEARSAL
    where = "an index on this machine" if rehearsed else shown(target)
    section = "sec-pypi-testpypi" if rehearsed or target == "testpypi" else "sec-pypi-upload"
    needs = ("the files",) if rehearsed else ("the files", "a token or a trusted publisher")
    return [
        Step("upload", section, f"upload the files to {where} with twine", step_actions.run_upload, needs,
             f"the files on {where}" + (", for good" if target == "pypi" else ""), step_actions.upload_key),
        Step("verify", "sec-pypi-install", f"wait for {where}, fetch the files back by hash, install, test",
             step_actions.run_verify, (f"the files on {where}",), "proof that users get what was tested"),
    ]


def run(release: Release, workflow: Sequence[Step[Release]],
        begin: Callable[[Step[Release]], None] = lambda step: None) -> Iterator[Result]:
    """Carry out a workflow for one release; its log tells when each step began and ended."""
    def note(step: Step[Release]) -> None:
        release.state.log(f"begin {step.name} {release.target}")
        begin(step)

    with release.state.locked():
        for result in carry_out(workflow, release, release.state.ledger(release.target), note):
            release.state.log(f"{result.state} {result.step} {release.target}")
            yield result


def run_all(releases: Sequence[Release], workflow: Sequence[Step[Release]],
            begin: Begin = silent) -> Iterator[tuple[Release, Result]]:
    """Carry out a workflow for several releases in the order given; a step that fails ends all."""
    for release in releases:
        for result in run(release, workflow, partial(begin, release)):
            yield release, result
            if result.state == "failed":
                return


def plan(release: Release, workflow: Sequence[Step[Release]]) -> list[dict[str, Any]]:
    """The steps as a run would go through them now: "kept" for work that the ledger holds, else "to do"."""
    ledger = release.state.ledger(release.target)
    listed = []
    for step in workflow:
        key = step.key(release) if step.key else ""
        listed.append({"step": step.name, "section": step.section, "does": step.does, "needs": list(step.needs),
                       "leaves": step.leaves, "state": "kept" if key and ledger.holds(step.name, key) else "to do"})
    return listed


def open_releases(projects: Sequence[Project], options: Options, target: str = REHEARSAL,
                  index: Index | None = None, version: str | None = None) -> list[Release]:
    """The releases of projects, in the order given, in which each comes after what it depends on.

    Their version is that of the commit unless one is given.

    Raises HandbookError when two have one name, a version is unknown, or git tracks a folder of ledgers and files.
    """
    names = [project.normalised for project in projects]
    if len(set(names)) < len(names):
        raise HandbookError("two of these projects have the same name", why=", ".join(sorted(names)),
                            todo="name each project once", section="sec-pypi-metadata")
    releases: list[Release] = []
    for project in projects:
        check_untracked(project)
        state = State(project, version or version_of(project))
        releases.append(Release(project, state, target, index, options, earlier=list(releases)))
    return releases
