"""Clean copies of a project's sources, so that a build sees only the commit and leaves no files in the project."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.git import git, tracked_files
from labhandbook.core.process import TimeoutExpired, run_git
from labhandbook.package.project import Project

# Leftovers of tools in a folder that isn't in git; they are not copied.
LEFTOVERS = ("__pycache__", "*.pyc", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".DS_Store")
SECONDS = 600  # A large history on a slow disk takes minutes.
LEFTOVERS_AT_TOP = (".git", ".handbook", ".venv", "venv", ".tox", ".nox", "build", "dist")


def tree_files(project: Project) -> frozenset[str]:
    """The files that git tracks in a project, or without git those that a copy of it would have."""
    tracked = tracked_files(project.root) if project.git else None
    if tracked is not None:
        return tracked
    found = []
    ignore = _leftovers(project.root)
    for folder, below, names in os.walk(project.root):
        left = ignore(folder, [*below, *names])
        below[:] = [name for name in below if name not in left]
        inside = Path(folder).relative_to(project.root)
        found += [(inside / name).as_posix() for name in names if name not in left]
    return frozenset(found)


def ignored_files(project: Project) -> frozenset[str]:
    """The files and folders (with a slash) in a project that git ignores; none without git."""
    listed = git(project.root, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory",
                 "--", ".") if project.git else None
    return frozenset(filter(None, (listed or "").split("\0")))


def absent_submodules(project: Project) -> list[str]:
    """The submodules of a project that are not checked out, relative to the project."""
    listed = git(project.root, "ls-files", "--stage", "-z", "--", ".") if project.git else None
    modules = [entry.partition("\t")[2] for entry in (listed or "").split("\0") if entry.startswith("160000 ")]
    folders = {name: project.root / name for name in modules}
    return [name for name, folder in folders.items() if not (folder.is_dir() and any(folder.iterdir()))]


def _leftovers(root: Path) -> Callable[[str, list[str]], set[str]]:
    """What not to copy. In an unpacked sdist the .egg-info is copied: setuptools reads the list of files from it."""
    top = LEFTOVERS_AT_TOP if (root / "PKG-INFO").exists() else (*LEFTOVERS_AT_TOP, "*.egg-info")
    anywhere, at_top = shutil.ignore_patterns(*LEFTOVERS), shutil.ignore_patterns(*LEFTOVERS, *top)
    return lambda folder, names: (at_top if Path(folder) == root else anywhere)(folder, names)


def export(project: Project, target: Path) -> Path:
    """Copy the commit that git has checked out into `target`, history and tags included; the project's folder there.

    What isn't committed isn't in the copy, exactly as in a fresh clone in CI. Without git the folder itself is
    copied. The history is borrowed from the repository, not copied.

    Raises HandbookError when git or the disk refuses.
    """
    state = project.git
    try:
        if state is None or not state.commit:
            shutil.copytree(project.root, target, symlinks=True, ignore=_leftovers(project.root))
            return target
        _git(state.root, "clone", "--quiet", "--shared", "--no-checkout", "--", str(state.root), str(target))
        _git(target, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", state.commit)
        _submodules(state.root, target)
        _large_files(state.root, target)
    except (OSError, shutil.Error) as error:
        raise HandbookError(f"the sources can't be copied: {error}", where=str(project.root),
                            why="a build works on a copy, so that nothing but the commit gets into the package",
                            todo="make room on the disk, or correct permissions", section="sec-pypi-build") from None
    return target / os.path.relpath(project.root.resolve(), state.root.resolve())


def _submodules(root: Path, target: Path) -> None:
    """Add the files of submodules as they are checked out: a clone would have to fetch them."""
    if not (target / ".gitmodules").exists():
        return
    every = git(root, "ls-files", "-z", "--recurse-submodules", timeout=60) or ""
    for name in filter(None, every.split("\0")):
        if not (target / name).exists() and (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)


def _large_files(root: Path, target: Path) -> None:
    """Replace pointers of git LFS by the contents, where the repository's folder has them.

    The filter that would fetch them does not run: it is a command that the repository's settings may name.
    """
    if not (target / ".gitattributes").exists():
        return
    for name in filter(None, (git(root, "ls-files", "-z", "--", ":(attr:filter=lfs)") or "").split("\0")):
        here, there = root / name, target / name
        if not (here.is_file() and there.is_file()) or there.stat().st_size > 1000:
            continue
        wanted = re.search(rb"(?m)^oid sha256:(\w+)$", there.read_bytes())
        if wanted and hashlib.sha256(here.read_bytes()).hexdigest() == wanted[1].decode():
            shutil.copyfile(here, there)


def _git(root: Path, *args: str) -> None:
    """Run git with the usual permissions for new files, not with this user's."""
    try:
        done = run_git(root, *args, umask=0o022, timeout=SECONDS)
        said = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
    except TimeoutExpired:
        done, said = None, [f"it took longer than {SECONDS} s"]
    if done is None or done.returncode:
        raise HandbookError(f"git can't copy the commit: {said[0]}", where=str(root),
                            why="the build works on a clean copy of the commit",
                            todo="run git status and git fsck in the project, and repair what they report",
                            section="sec-pypi-build")
