"""What git says of the commit that is to be released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from labhandbook.core.process import git as git

SECONDS_FOR_REMOTE = 2.0


@dataclass(frozen=True)
class GitState:
    """The repository around a project at the moment of looking.

    `tree` is the hash of the commit's files, `epoch` its time in seconds since 1970. `tags` are the tags on the
    commit. `dirty` lists changed and untracked files, relative to `root`, the repository's folder. `on_default` is
    None where git names no default branch. `remote` is its name, such as origin, and `url` its address.
    `remote_tags` gives the commit of each tag that the remote has, None where it didn't answer. `store` is git's own
    folder, which all work trees of the repository share.
    """

    root: Path
    commit: str
    epoch: int
    tags: tuple[str, ...]
    branch: str | None
    default_branch: str | None
    on_default: bool | None
    dirty: tuple[str, ...]
    shallow: bool
    remote: str | None
    url: str | None = None
    remote_tags: Mapping[str, str] | None = None
    tree: str = ""
    store: Path | None = None

    def with_remote_tags(self, found: Mapping[str, str] | None) -> GitState:
        """The same state after the remote was asked for its tags."""
        return replace(self, remote_tags=found)


def read_git(root: Path, *, ask_remote: bool = True) -> GitState | None:
    """The git state of a project's folder, or None when git doesn't know the project.

    A folder inside a repository that doesn't track its `pyproject.toml`, such as an unpacked archive, is not
    known. The remote is asked for its tags for at most two seconds, and not at all without `ask_remote`.
    """
    shown = git(root, "rev-parse", "--show-toplevel", "--is-shallow-repository")
    head = git(root, "log", "-1", "--format=%H %T %ct")
    store = git(root, "rev-parse", "--git-common-dir")
    known = git(root, "ls-files", "--", "pyproject.toml", "setup.py", "setup.cfg")
    if shown is None or head is None or store is None or not known:
        return None
    top, _, shallow = shown.rpartition("\n")
    commit, tree, epoch = head.split(" ")
    tags = lines(git(root, "for-each-ref", "--points-at=HEAD", "--sort=refname", "--format=%(refname:strip=2)",
                     "refs/tags"))
    branch = git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    remote = remote_of(root, branch)
    default, on_default = _default_branch(root, remote, shallow == "true")
    state = GitState(
        root=Path(top), commit=commit, epoch=int(epoch), tags=tuple(tags), branch=branch, default_branch=default,
        on_default=on_default, dirty=_dirty(Path(top)), shallow=shallow == "true", remote=remote,
        url=git(root, "remote", "get-url", remote) if remote else None, tree=tree,
        store=root.resolve() / store,
    )
    return state.with_remote_tags(read_remote_tags(state)) if ask_remote else state


def read_remote_tags(state: GitState, timeout: float = SECONDS_FOR_REMOTE) -> dict[str, str] | None:
    """The commit of each tag of the remote, or None when there is no remote or it doesn't answer in time."""
    if state.remote is None:
        return None
    answer = git(state.root, "ls-remote", "--tags", state.remote, timeout=timeout)
    if answer is None:
        return None
    tags: dict[str, str] = {}
    for line in lines(answer):
        commit, _, name = line.partition("\trefs/tags/")
        # "v1^{}" is the commit that the annotated tag v1 stands for; it follows the line of v1 itself.
        tags[name.removesuffix("^{}")] = commit
    return tags


def tracked_files(root: Path) -> frozenset[str] | None:
    """The files below a folder that git tracks and that are there, or None without git."""
    listed = git(root, "ls-files", "-z", "--", ".")
    if not listed:
        return None
    return frozenset(name for name in listed.split("\0") if name and (root / name).is_file())


def lines(output: str | None) -> list[str]:
    """The lines of a command's output, none when it failed."""
    return output.splitlines() if output else []


def remote_of(root: Path, branch: str | None) -> str | None:
    """The name of the remote that a branch is pushed to, else origin or any; None without one."""
    remotes = lines(git(root, "remote"))
    chosen = git(root, "config", f"branch.{branch}.remote") if branch else None
    for name in (chosen, "origin", *remotes):
        if name in remotes:
            return name
    return None


def _default_branch(root: Path, remote: str | None, shallow: bool) -> tuple[str | None, bool | None]:
    """The default branch, and whether HEAD is on it, here or on the remote as last fetched."""
    refs = set(lines(git(root, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")))
    there = f"refs/remotes/{remote}/"
    name = (git(root, "symbolic-ref", "--quiet", there + "HEAD") or "").removeprefix(there) if remote else ""
    if not name:
        guesses = (guess for guess in ("main", "master") if {there + guess, f"refs/heads/{guess}"} & refs)
        name = next(guesses, "")
    if not name:
        return None, None
    containing = git(root, "for-each-ref", "--contains=HEAD", "--format=%(refname)",
                     f"refs/heads/{name}", there + name)
    if shallow and not containing:
        return name, None
    return name, None if containing is None else bool(containing)


def _dirty(root: Path) -> tuple[str, ...]:
    """Changed and untracked files; a renamed file counts under its new name."""
    entries = iter((git(root, "status", "--porcelain", "-z", "--untracked-files=all") or "").split("\0"))
    names = []
    for entry in entries:
        if entry:
            names.append(entry[3:])
            if "R" in entry[:2] or "C" in entry[:2]:
                next(entries, None)
    return tuple(sorted(names))
