"""The version that fits what changed since the last tag: public names and calls, by griffe, and the change log."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from labhandbook.core.errors import HandbookError
from labhandbook.core.git import git, lines
from labhandbook.core.wording import listed
from labhandbook.package.distribution import module_name
from labhandbook.package.pending_changes import Pending, pending
from labhandbook.package.project import Project
from labhandbook.package.public_api import Api, breaking
from labhandbook.release.release_rules.commit import tag_versions
from labhandbook.release.release_rules.unwanted_files import OTHER_TOPS

if TYPE_CHECKING:
    from packaging.version import Version

MAJOR, MINOR, PATCH = "major", "minor", "patch"
LARGEST = 4 << 20


@dataclass(frozen=True)
class Proposal:
    """The version to choose after the last one, which has the tag `before`, and why."""

    before: str
    version: str
    why: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.version}, after {self.before}: {'; '.join(self.why)}"


def propose(project: Project, today: date | None = None) -> Proposal | None:
    """The next version of a project; None without git, without an earlier tag, or when the commit is tagged.

    Nothing of the project runs: its sources are read from the last tag and from the commit.
    """
    last = last_tag(project)
    if project.git is None or last is None:
        return None
    tag, version = last
    if tag in project.git.tags:
        return None
    today = today or date.today()
    if by_date := calendar(project, today):
        return Proposal(tag, by_date, ("the earlier versions are dates",))
    added = lines(git(project.root, "diff", "--name-only", "--diff-filter=AR", tag, "HEAD", "--", "."))
    fragments = {name.rpartition("/")[2] for name in added}
    why: list[tuple[str, str]] = [*from_changelog(pending(project, str(version), fragments))]
    try:
        why += from_api(project, tag)
    except HandbookError as error:
        why.append((PATCH, f"public names were not compared: {error.what}"))
    level = next(level for level in (MAJOR, MINOR, PATCH) if any(each == level for each, _ in why) or level is PATCH)
    reasons = [text for each, text in why if each == level] or ["no public name is new or gone"]
    if version.major == 0 and level is not PATCH:
        reasons.append("before 1.0 the second number says it")
    return Proposal(tag, raised(version, level), tuple(reasons))


def last_tag(project: Project) -> tuple[str, Version] | None:
    """The newest version among the tags before the commit, final ones first, with its tag."""
    from packaging.version import InvalidVersion, Version

    found: list[tuple[bool, Version, str]] = []
    for tag in lines(git(project.root, "tag", "--list", "--merged", "HEAD")):
        for text in tag_versions(project, [tag]):
            try:
                version = Version(text)
            except InvalidVersion:
                continue
            found.append((not version.is_prerelease, version, tag))
    return (max(found)[2], max(found)[1]) if found else None


def raised(version: Version, level: str) -> str:
    """The version after this one: before 1.0 what breaks and what is new both raise the second number."""
    if version.is_prerelease:
        return version.base_version
    level = MINOR if version.major == 0 and level == MAJOR else level
    numbers = [*version.release, 0, 0][:max(3, len(version.release))]
    place = (MAJOR, MINOR, PATCH).index(level)
    if level == PATCH:
        place = max(2, len(version.release) - 1)
    numbers = [*numbers[:place], numbers[place] + 1, *[0] * (len(numbers) - place - 1)]
    return ".".join(map(str, numbers if any(numbers[len(version.release):]) else numbers[:len(version.release)]))


def calendar(project: Project, today: date) -> str:
    """The next version where the last ones begin with the year of their tags; else an empty string."""
    from packaging.version import InvalidVersion, Version

    rows: list[tuple[Version, date]] = []
    listing = git(project.root, "for-each-ref", "--merged=HEAD", "--format=%(refname:strip=2) %(creatordate:short)",
                  "refs/tags")
    for line in lines(listing):
        tag, _, day = line.rpartition(" ")
        for text in tag_versions(project, [tag]):
            try:
                rows.append((Version(text), date.fromisoformat(day)))
            except (InvalidVersion, ValueError):
                continue
    newest = sorted((row for row in rows if not row[0].is_prerelease), reverse=True)[:2]
    if not newest or any(version.major not in (day.year, day.year % 100) for version, day in newest):
        return ""
    version, _ = newest[0]
    short = version.major < 1000
    year, numbers = today.year % 100 if short else today.year, [*version.release[1:]] or [0]
    if len(newest) > 1 and all(version.minor == day.month for version, day in newest):
        same = (version.major, version.minor) == (year, today.month)
        rest = [version.micro + 1] if same else [0] * (len(numbers) - 1)
        return ".".join(map(str, (year, today.month, *rest)))
    first = numbers[0] + 1 if version.major == year else min(
        each.minor for each, _ in rows if each.major == version.major and not each.is_prerelease)
    return ".".join(map(str, (year, first, *[0] * (len(numbers) - 1))))


def from_changelog(found: Pending) -> Iterable[tuple[str, str]]:
    """What the entries for the next version say: each kind with the number that it raises."""
    for level, kinds in ((MAJOR, found.breaking), (MINOR, found.new)):
        if kinds:
            yield level, f"{found.source} lists {listed(sorted(kinds), 3)}"


def from_api(project: Project, tag: str) -> Iterable[tuple[str, str]]:
    """What changed in the public names since a tag."""
    before, after = api_at(project, tag), api_at(project, "HEAD")
    if not before.sources or not after.sources:
        return
    old, new = before.public(), after.public()
    gone, calls = sorted(old - new), sorted(set(breaking(before, after)))
    if gone:
        yield MAJOR, f"{_names(gone)} {'is' if len(gone) == 1 else 'are'} gone"
    if calls:
        yield MAJOR, f"calls can fail: {listed(calls, 2)}"
    if added := sorted(new - old):
        yield MINOR, f"{_names(added)} {'is' if len(added) == 1 else 'are'} new"


def api_at(project: Project, ref: str) -> Api:
    """The modules of the package as a commit has them, without tests."""
    names = lines(git(project.root, "ls-tree", "-r", "--name-only", ref, "--", "."))
    inside = [name for name in names if name.endswith(".py")]
    others = [name.rpartition("/")[0] + "/" for name in names if name.endswith("/pyproject.toml")]
    tops = places(project, [name for name in inside if not name.startswith(tuple(others))])
    if not tops:
        return Api({}, frozenset())
    sources, packages = {}, set()
    with tempfile.TemporaryDirectory(prefix="handbook-tag-") as folder:
        packed = Path(folder, "sources.tar")
        if git(project.root, "archive", "--format=tar", f"--output={packed}", ref, "--", *tops, timeout=60) is None:
            raise HandbookError(f"git can't give the sources of {ref}", section="sec-pypi-tag")
        with tarfile.open(packed) as archive:
            for member in archive:
                top = next((top for top in tops if member.name == top or member.name.startswith(f"{top}/")), "")
                name = module_name(member.name[tops[top]:]) if top else ""
                if member.isfile() and member.size <= LARGEST and name and member.name.endswith(".py"):
                    stream = archive.extractfile(member)
                    sources[name] = stream.read().decode("utf-8", "replace") if stream else None
                    if member.name.endswith("/__init__.py"):
                        packages.add(name)
    return Api(sources, frozenset(packages))


def places(project: Project, files: Sequence[str]) -> dict[str, int]:
    """The topmost packages and the single module of a project, each with the length of what is before its name."""
    folders = {name.rpartition("/")[0] for name in files if name.endswith("/__init__.py")}
    space = "".join(f"/{part}" for part in project.name.split(".")[:-1])
    found = {}
    for folder in sorted(folders):
        above, _, name = folder.rpartition("/")
        before = f"/{above}".removesuffix(space).strip("/")
        if above in folders or {name, *before.split("/")} & (OTHER_TOPS - {"src", "lib"}) or name.startswith("."):
            continue
        found[folder] = len(before) + 1 if before else 0
    for place in ("", "src/", "lib/"):
        if (name := f"{place}{project.module}.py") in files:
            found[name] = len(place)
    return found


def _names(names: Sequence[str]) -> str:
    return f"{len(names)} public name{'s' * (len(names) > 1)} ({listed(list(names), 3)})"
