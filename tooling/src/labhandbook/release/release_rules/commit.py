"""Rules on the commit: clean, tagged once, complete, and where everyone can find it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from labhandbook.core.rules import ERROR, WARNING, At, unverified
from labhandbook.core.wording import listed
from labhandbook.package.project import Project
from labhandbook.release.project_facts import PROJECT, Facts

if TYPE_CHECKING:
    from packaging.version import Version

SECTION = "sec-pypi-tag"
NOT_SHIPPED = {"tests", "test", "docs", "doc", "examples", "benchmarks"}


def version_tags(facts: Facts) -> list[str]:
    """The tags on the commit that follow the project's pattern."""
    return tags_of(facts.project)


def tags_of(project: Project) -> list[str]:
    """The tags on a project's commit that follow its pattern."""
    tags = project.git.tags if project.git else ()
    return [tag for tag in tags if any(text[:1].isdigit() for text in tag_versions(project, [tag]))]


def tag_versions(project: Project, tags: Iterable[str]) -> list[str]:
    """The versions that tags name by the project's pattern."""
    before, _, after = project.settings.tag.partition("{version}")
    return [tag[len(before):len(tag) - len(after)] for tag in tags if tag.startswith(before) and tag.endswith(after)]


def read(text: str) -> Version | None:
    """A version, None where the text is none."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None


@PROJECT.rule("REL010", "The project is in git",
      why="A release belongs to a commit: without one its sources can't be found again.",
      fix="Run check in a clone of the repository.",
      section=SECTION)
def in_git(facts: Facts) -> Iterator[At]:
    """A folder that is not in git."""
    if facts.project.git is None:
        yield unverified("this project is not in git, so commit and tag can't be checked")


@PROJECT.rule("REL011", "Everything is committed",
      why="A build takes everything in the folder, including files that only you have and changes that are in no "
          "commit.",
      fix="Commit the changes; add new files or name them in .gitignore.",
      section=SECTION)
def clean(facts: Facts) -> Iterator[At]:
    """Changed and untracked files."""
    git = facts.project.git
    if git is not None and git.dirty:
        count = f"{len(git.dirty)} files are" if len(git.dirty) > 1 else "a file is"
        yield At(f"{count} changed or not in git: {listed(git.dirty, 3)}")


@PROJECT.rule("REL012", "The clone has its history",
      why="In a shallow clone the tags are missing, and setuptools-scm then only warns and guesses a version.",
      fix="git fetch --unshallow --tags; in GitHub Actions give actions/checkout fetch-depth: 0.",
      section=SECTION)
def complete(facts: Facts) -> Iterator[At]:
    """A shallow clone."""
    git = facts.project.git
    if git is not None and git.shallow:
        yield At("the clone is shallow", severity=ERROR if facts.version.from_git else WARNING)


@PROJECT.rule("REL013", "The commit carries the tag of its version",
      why="The tag says which commit a version was made from.",
      fix="Tag the commit: git tag --annotate vVERSION --message \"NAME VERSION\"; a wrong tag that isn't pushed "
          "yet can be deleted with git tag --delete.",
      section=SECTION, asks="the git remote")
def tagged(facts: Facts) -> Iterator[At]:
    """No tag, or a tag that says another version."""
    git, version = facts.project.git, facts.parsed
    if git is None or version is None or version.is_devrelease or version.local:
        return
    # A version may be written out in another form than the one that indexes use; either may be tagged.
    pattern = facts.project.settings.tag
    wanted, other = (pattern.replace("{version}", str(form)) for form in (version, facts.version.version))
    if {wanted, other} & set(git.tags):
        return
    place = facts.version.file, facts.version.line
    if read := _read_off(facts):
        yield At(f"the version {facts.version.version} was read from the tag {read}, which isn't {pattern}: if "
                 "it is another package's, let git describe match only yours; if it is yours, set tag in "
                 "[tool.handbook.release]", *place)
    elif found := version_tags(facts):
        yield At(f"the commit is tagged {listed(found)}, the version is {facts.version.version}", *place)
    elif {wanted, other} & facts.tags:
        yield At(f"the tag {wanted} is on another commit than the one checked out", *place)
    elif git.remote_tags and wanted in git.remote_tags:
        yield At(f"the tag {wanted} is on {git.remote}, but not on this commit", *place)
    else:
        yield At(f"the commit has no tag {wanted}", *place, severity=WARNING,
                 fix=f'Tag the commit: git tag --annotate {wanted} --message "{facts.project.name} {version}".')


def _read_off(facts: Facts) -> str:
    """The tag on the commit that gave the version although it follows another pattern; empty where none did."""
    git, own = facts.project.git, version_tags(facts)
    if git is None or not facts.version.from_git:
        return ""
    ending = re.compile(rf"[^\d.]{re.escape(str(facts.version.version))}$")
    return next((tag for tag in git.tags if tag not in own and ending.search(tag)), "")


@PROJECT.rule("REL014", "The commit has one version tag",
      why="With two tags on a commit a tool may use the older one, and the release gets its number.",
      fix="Delete the wrong one: git tag --delete TAG.",
      section=SECTION)
def one_tag(facts: Facts) -> Iterator[At]:
    """Several version tags on the commit, but for a release candidate that became the release."""
    found = version_tags(facts)
    named = {tag: version for tag in found for text in tag_versions(facts.project, [tag]) if (version := read(text))}
    final = {version for version in named.values() if not version.is_prerelease}
    one = len({version.base_version for version in named.values()}) == 1
    if len(found) < 2 or (one and final == {facts.parsed}):
        return
    wrong = [tag for tag, version in named.items() if version != facts.parsed]
    yield At(f"the commit has {len(found)} version tags: {listed(found)}",
             fix=f"Delete the wrong one: git tag --delete {' '.join(wrong)}." if len(wrong) < len(found) else "")


@PROJECT.rule("REL015", "The commit is on the default branch",
      why="What is released from a side branch is missing in the next release.",
      fix="Merge the branch, then tag the commit on the default branch.",
      section=SECTION, severity=WARNING)
def on_default(facts: Facts) -> Iterator[At]:
    """A commit that is not on the default branch."""
    git = facts.project.git
    if git is None:
        return
    if git.on_default is None:
        reason = "the clone is shallow" if git.shallow else "git names no default branch"
        yield unverified(f"whether the commit is on the default branch is unknown: {reason}")
    elif not git.on_default:
        yield At(f"the commit is on {git.branch or 'no branch'}, not on {git.default_branch}")


@PROJECT.rule("REL016", "The tag is on the remote, on the same commit",
      why="A workflow publishes from the pushed tag, and readers of the release look for it there.",
      fix="After an upload by hand, and to publish from a workflow, push the tag: git push origin TAG. A pushed tag "
          "is never moved; release the next version instead.",
      section="sec-pypi-github", severity=WARNING, asks="the git remote")
def pushed(facts: Facts) -> Iterator[At]:
    """A version tag that the remote lacks, or has elsewhere."""
    git = facts.project.git
    found = version_tags(facts)
    if git is None or not found:
        return
    if git.remote_tags is None:
        reason = f"{git.remote} was not asked or did not answer" if git.remote else "the repository has no remote"
        yield unverified(f"whether {listed(found)} is pushed is unknown: {reason}")
        return
    for tag in found:
        there = git.remote_tags.get(tag)
        if there is None:
            yield At(f"{tag} is not on {git.remote} yet")
        elif there != git.commit:
            yield At(f"{tag} is on another commit ({there[:9]}) at {git.remote}", severity=ERROR)


@PROJECT.rule("REL017", "Submodules are checked out",
      why="The folder of a submodule that is not checked out is empty, so a build lacks its files, and tests that "
          "read them fail.",
      fix="git submodule update --init --recursive; in GitHub Actions give actions/checkout submodules: recursive.",
      section=SECTION, severity=WARNING)
def submodules(facts: Facts) -> Iterator[At]:
    """Submodules with an empty folder; within a package they are a part of it."""
    inside = [name for name in facts.absent if not NOT_SHIPPED.intersection(PurePosixPath(name).parts) and any(
        f"{parent}/__init__.py" in facts.files for parent in PurePosixPath(name).parents)]
    for names, weight in ((inside, ERROR), ([name for name in facts.absent if name not in inside], None)):
        if names:
            said = f"submodule {names[0]} is" if len(names) == 1 else f"submodules {listed(names)} are"
            yield At(f"the {said} not checked out", ".gitmodules", severity=weight)
