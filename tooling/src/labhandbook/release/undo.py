"""The card for a bad release: what can be taken back, what can't, and how, with addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from labhandbook.package import index_addresses
from labhandbook.package.project import Project, tag_of
from labhandbook.release.release_folder import State
from labhandbook.release.status import NO, UNKNOWN, Line, status
from labhandbook.release.upload_refusals import next_version


@dataclass(frozen=True)
class Action:
    """One thing to do by hand: `how` is a command or an address, `section` tells more."""

    title: str
    how: str
    why: str
    section: str

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        return asdict(self)


def undo(project: Project, state: State) -> tuple[list[str], list[Action]]:
    """What is known of the version, and what to do about it now."""
    lines = status(project, state)
    known = [line.as_text() for line in lines]
    return known, card(project, state, lines)


def card(project: Project, state: State, lines: Sequence[Line]) -> list[Action]:
    """The actions that fit what git, its host and the indexes say. What can't be told counts as public."""
    about = {line.about: line for line in lines}
    public = about["pypi"].state != NO or bool(state.ledger("pypi").entries.get("upload"))
    actions = [secret(project)]
    if public:
        actions += [yank(project, state.version), repair(project, state.version), *elsewhere(project, state.version)]
    else:
        actions += unpublished(project, state, about)
    return actions


def secret(project: Project) -> Action:
    """What comes before everything else."""
    return Action("If a password or token is in the files, revoke it first", "where it was issued, at once",
                  "what was public for a minute is known; removing the file changes nothing", "sec-updating-secret")


def yank(project: Project, version: str) -> Action:
    """Hide the version from everyone who doesn't ask for it."""
    web = index_addresses.index("pypi").web
    return Action(f"Yank {project.name} {version} on PyPI, by hand",
                  f"{web}/manage/project/{project.normalised}/release/{version}/ -> Options -> Yank, with a reason",
                  "pip passes over a yanked version, and papers that pin it still install. A deletion breaks them "
                  "and frees no file name. A yank can be undone.", "sec-updating-yank")


def repair(project: Project, version: str) -> Action:
    """Publish a good version."""
    following = next_version(version)
    return Action(f"Release {following}",
                  f"mend the fault, add a test for it, then: git tag --annotate "
                  f'{tag_of(project, following)} --message "{project.name} {following}" && handbook release rehearse',
                  f"{version} can't be uploaded again. If only the description is wrong, "
                  f"{version.partition('.post')[0]}.post1 says that the code is the same.", "sec-updating-repair")


def elsewhere(project: Project, version: str) -> list[Action]:
    """What others made of the version."""
    actions = []
    if project.git and project.git.url:
        actions.append(Action(
            f"Say in the release notes of {tag_of(project, version)} which version replaces it",
            f"gh release edit {tag_of(project, version)} --notes-file notes.md",
            "the tag stays: others have fetched it, and archives refer to it", "sec-updating-repair"))
    actions.append(Action("On conda-forge, close the bot's pull request or have the files marked as broken",
                          f"the feedstock {project.normalised}-feedstock, or conda-forge's admin-requests",
                          "a yank on PyPI doesn't reach conda-forge", "sec-updating-broken"))
    return actions


def unpublished(project: Project, state: State, about: dict[str, Line]) -> list[Action]:
    """What to do while PyPI has nothing of the version: it can still be made anew."""
    tag, host = tag_of(project, state.version), about["git host"]
    actions = []
    if host.state != NO and project.git and project.git.remote:
        unsure = " if it has it" if host.state == UNKNOWN else ""
        actions.append(Action(f"Take {tag} off {project.git.remote}{unsure}",
                              f"git push {project.git.remote} --delete {tag}",
                              "do so only if nobody can have built on it; else release the next version",
                              "sec-updating-tag"))
    actions.append(Action(f"Delete the tag {tag} here", f"git tag --delete {tag}",
                          "the mended commit is tagged anew", "sec-pypi-tag"))
    if state.hashes():
        actions.append(Action("Forget the files that were built", f"rm -r {state.folder.relative_to(project.root)}",
                              "the next rehearsal begins with a new build", "sec-pypi-build"))
    if about["testpypi"].state not in (NO, UNKNOWN):
        actions.append(Action(
            f"On TestPyPI {state.version} is used up",
            f"rehearse there as {next_version(state.version)}rc1, or skip it",
            "a file name is used once on TestPyPI too; PyPI knows nothing of it", "sec-pypi-testpypi"))
    return actions
