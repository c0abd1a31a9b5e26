"""Whether the files of a release may be used: they are this commit's, and they did not come with the repository.

Anyone who can add files to a repository can write a ledger and files in `.handbook`, and a tag can move between the
build and the upload. So every step that uses the files asks git first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import git
from labhandbook.core.steps import Ledger
from labhandbook.package.project import Project

FOLDER = ".handbook"
SECTION = "sec-pypi-upload"
AGAIN = "check out the commit that was built, or build this one: handbook release rehearse"


def check_files(project: Project, version: str, ledger: Ledger, fingerprint: Callable[[], str]) -> None:
    """Raises HandbookError unless the ledger's commit, tree and tags are those of the folder as it is now.

    `fingerprint` is used without git: a hash of the sources as a build sees them now.
    """
    check_untracked(project)
    if project.absent:
        _of_job(project, version, ledger)
        return
    if project.git is None:
        _without_git(project, version, ledger, fingerprint)
        return
    root = project.root
    built, tree = ledger.fact("build", "commit"), ledger.fact("build", "tree")
    commit, now = head(root)
    if not built or built != commit or (tree and tree != now):
        raise HandbookError(f"the files of {project.name} {version} are not from this commit",
                            where=str(ledger.path), section=SECTION, todo=AGAIN,
                            why=f"they were built from {_short(built)}, and {_short(commit)} is checked out")
    here, tags = tags_here(root), ledger.fact("build", "tags") or []
    for tag in tags if isinstance(tags, list) else [tags]:
        if not isinstance(tag, str) or tag not in here:
            raise HandbookError(f"the tag {tag} is not on this commit any more", where=str(ledger.path),
                                why=f"the files were built from {_short(built)} when it had that tag",
                                todo=f"put the tag back, or release the new commit as a new version; then {AGAIN}",
                                section=SECTION)


def _of_job(project: Project, version: str, ledger: Ledger) -> None:
    """Compare with what GitHub says of the job, where no sources are checked out."""
    built, wanted = ledger.fact("build", "commit"), os.environ.get("GITHUB_SHA", "")
    if not os.environ.get("GITHUB_ACTIONS") or not wanted:
        raise HandbookError(f"the sources of {project.name} {version} are not here", where=str(project.root),
                            why="only a job of GitHub Actions may use the files without them", section=SECTION,
                            todo="go to the clone in which the files were built")
    if built != wanted:
        raise HandbookError(f"the files of {project.name} {version} are not from this job's commit",
                            where=str(ledger.path), section=SECTION,
                            why=f"they were built from {_short(built)}, and the job runs for {_short(wanted)}",
                            todo="download the files that this run built")
    if ledger.fact("build", "dev") is True:
        return  # It has no tag, and goes to no final index.
    kind, _, tag = os.environ.get("GITHUB_REF", "").removeprefix("refs/").partition("/")
    if kind != "tags" or tag not in (ledger.fact("build", "tags") or []):
        raise HandbookError(f"the files of {project.name} {version} were not built for {tag or 'this job'}",
                            where=str(ledger.path), why="a release is uploaded by a job of its tag", section=SECTION,
                            todo="push the tag of the release, and let its own run upload the files")


def check_untracked(project: Project) -> None:
    """Raises HandbookError when git tracks the folder of ledgers and files, or something in it."""
    listed = git(project.root, "ls-files", "-z", "--", f":(icase){FOLDER}")
    if listed:
        name = listed.split("\0")[0]
        raise HandbookError(f"git tracks {name}", where=str(project.root / FOLDER),
                            why="files that come with the repository were not built here, whatever their ledger says",
                            todo=f"git rm -r --cached {FOLDER}, remove the folder, commit, and rehearse again",
                            section=SECTION)


def check_job(project: Project) -> None:
    """Raises HandbookError when a job of GitHub Actions runs for another commit or tag than the one checked out.

    An index, and anyone who reads an attestation, trusts what GitHub says of the job, not what is checked out.
    """
    if not os.environ.get("GITHUB_ACTIONS") or project.git is None:
        return
    commit, wanted = head(project.root)[0], os.environ.get("GITHUB_SHA", "")
    if wanted and wanted != commit:
        raise HandbookError("this job runs for another commit than the one checked out", where=str(project.root),
                            why=f"GITHUB_SHA is {_short(wanted)}, and {_short(commit)} is checked out",
                            todo="start the workflow on the tag that is released, and check out no other commit",
                            section=SECTION)
    kind, _, tag = os.environ.get("GITHUB_REF", "").removeprefix("refs/").partition("/")
    if kind == "tags" and tag not in tags_here(project.root):
        raise HandbookError(f"the tag {tag} is not on the commit that is checked out", where=str(project.root),
                            why="this job runs for that tag", section=SECTION,
                            todo="check out the tag; if it has moved, release a new version")


def head(root: Path) -> tuple[str, str]:
    """The commit that is checked out and the hash of its tree. Raises HandbookError when git does not report it."""
    shown = git(root, "rev-parse", "HEAD^{commit}", "HEAD^{tree}")
    if not shown:
        raise _silent(root)
    commit, _, tree = shown.partition("\n")
    return commit, tree


def tags_here(root: Path) -> set[str]:
    """The tags of the commit that is checked out."""
    return set((git(root, "tag", "--points-at", "HEAD") or "").splitlines())


def _without_git(project: Project, version: str, ledger: Ledger, fingerprint: Callable[[], str]) -> None:
    """Compare with the sources themselves where the project is not in git, as in an unpacked sdist."""
    root = project.root
    inside = any((folder / ".git").exists() for folder in (root, *root.parents))
    if inside and git(root, "rev-parse", "--git-dir") is None:
        raise _silent(root)
    if ledger.fact("build", "commit") or ledger.entries["build"].get("key") != fingerprint():
        raise HandbookError(f"the files of {project.name} {version} are not from these sources",
                            where=str(ledger.path), why="the sources changed after the build, or git is missing now",
                            todo="build them again: handbook release rehearse", section=SECTION)


def _silent(root: Path) -> HandbookError:
    return HandbookError("git does not report which commit is checked out", where=str(root), section=SECTION,
                         why="only files of the commit that is checked out are used",
                         todo="run git log -1 in that folder, and do what its error message says")


def _short(commit: object) -> str:
    return str(commit)[:10] if commit else "no commit"
