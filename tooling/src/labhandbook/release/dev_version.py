"""A commit between two releases as a dev version, such as 1.2.1.dev3, for TestPyPI.

An index takes a file name once and refuses what follows a +. So the version is the next one, with `.dev` and the
number of commits since the last tag. It is given to a copy of the commit: as a tag where the backend reads tags, else
in the files in which the version is written.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.git import git, tracked_files
from labhandbook.core.process import git_env, run
from labhandbook.package.index_addresses import Index
from labhandbook.package.machine import scratch
from labhandbook.package.project import Project, load_project
from labhandbook.package.version import find_version, version_of
from labhandbook.release.clean_sources import export
from labhandbook.release.file_origin import check_untracked
from labhandbook.release.next_version import last_tag
from labhandbook.release.package_build import asked
from labhandbook.release.release_folder import State
from labhandbook.release.release_rules.commit import tags_of
from labhandbook.release.step_actions import Options, Release
from labhandbook.release.upload_refusals import next_version

SECTION = "sec-actions-dev"
# Files in which a version is written out, and how.
WRITTEN = re.compile(r"(^|/)(pyproject\.toml|setup\.cfg|meson\.build|Cargo\.toml|[^/]+\.py)$")
SETTING = r"(?im)(?<![\w-])((?:__)?version(?:__)?[\"']?\s*[:=]\s*[\"']?){}(?=[\"'\s,)]|$)"


@contextlib.contextmanager
def dev_releases(projects: Sequence[Project], options: Options) -> Iterator[list[Release]]:
    """The projects' commits as dev versions; the copies that are built last as long as the block.

    Raises HandbookError when a commit has a tag, is not in git, or its version can't be set.
    """
    with scratch("dev") as folder:
        releases: list[Release] = []
        for project in map(asked, projects):
            check_untracked(project)
            copy = dev_copy(project, folder.resolve() / project.normalised)
            releases.append(Release(project, State(project, version_of(copy)), options=options,
                                    earlier=list(releases), dev=copy))
        yield releases


def bound_for(releases: Sequence[Release], index: Index) -> list[Release]:
    """The same releases on their way to an index."""
    bound: list[Release] = []
    for release in releases:
        bound.append(replace(release, target=index.name, index=index, earlier=list(bound)))
    return bound


def dev_version(project: Project) -> str:
    """The dev version of a commit. Raises HandbookError when it has a tag, or is not in git."""
    from packaging.version import Version

    if project.git is None:
        raise HandbookError(f"{project.name} is not in git", where=str(project.root), section=SECTION,
                            why="a dev version counts the commits since the last tag", todo="run it in a clone")
    if tags := tags_of(project):
        raise HandbookError(f"the commit has the tag {tags[0]}", where=str(project.root), section=SECTION,
                            why="it is a release and no dev version of one",
                            todo="handbook release publish --to testpypi")
    found, last = Version(version_of(project)), last_tag(project)
    if found.is_devrelease and find_version(project).from_git:
        return found.public
    since = git(project.root, "rev-list", "--count", *([f"{last[0]}..HEAD"] if last else ["HEAD"]), "--", ".") or "0"
    base = str(found).partition(".dev")[0].partition("+")[0]
    return f"{base if last is None or Version(base) > last[1] else next_version(base)}.dev{since}"


def dev_copy(project: Project, folder: Path) -> Project:
    """A copy of the project's commit that has its dev version."""
    version, found = dev_version(project), find_version(project)
    old = found.version or ""
    root = export(project, folder)
    if not found.from_git:
        _write(root, old, version)
        _git(root, project, "commit", "--quiet", "--all", "--message", version)
    git(root, "tag", project.settings.tag.format(version=version))
    copy = asked(load_project(root, ask_remote=False))
    if (got := version_of(copy)) != version:
        raise HandbookError(f"the version {old} can't be made {version}", where=str(project.root), section=SECTION,
                            why=f"the build still gives {got}: it takes the version from a place that is not known",
                            todo="take the version from the git tag, as setuptools-scm and hatch-vcs do")
    return copy


def _write(root: Path, old: str, new: str) -> None:
    """Replace a version in the files that set it, once in each: what follows may be that of a dependency."""
    from packaging.version import Version

    texts = "|".join(map(re.escape, dict.fromkeys((old, str(Version(old))))))
    for name in tracked_files(root) or ():
        if not WRITTEN.search(name) or name.count("/") > 3:
            continue
        with contextlib.suppress(UnicodeDecodeError):
            text = (root / name).read_text(encoding="utf-8")
            if (changed := re.sub(SETTING.format(f"(?:{texts})"), rf"\g<1>{new}", text, count=1)) != text:
                (root / name).write_text(changed, encoding="utf-8")


def _git(root: Path, project: Project, *words: str) -> None:
    """Run git as a nameless person at the time of the project's commit, so that a later build has the same bytes."""
    when = f"{project.git.epoch if project.git else 0} +0000"
    who = {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER")
           for field, value in (("NAME", "handbook"), ("EMAIL", "handbook@localhost"), ("DATE", when))}
    run(["git", *words], cwd=root, env={**git_env(root), **who})
