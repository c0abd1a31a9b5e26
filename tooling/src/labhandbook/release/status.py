"""Where a version stands: what git, its host, the indexes and the ledgers say, and what is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.package import index_addresses
from labhandbook.package.project import Project, tag_of
from labhandbook.package.simple_index import IndexDown, Listed, listing
from labhandbook.release.release_folder import REHEARSAL, State

YES, NO, PARTLY, UNKNOWN = "yes", "no", "partly", "unknown"
MARKS = {YES: "✓", NO: "·", PARTLY: "!", UNKNOWN: "?"}


@dataclass(frozen=True)
class Line:
    """One thing that holds, doesn't, or can't be told; `next` is what to do about it, if anything."""

    about: str
    state: str
    text: str
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        return asdict(self)

    def as_text(self) -> str:
        """The same for people."""
        return f"{MARKS[self.state]} {self.about:<12} {self.text}"


def status(project: Project, state: State, targets: Sequence[str] = ("testpypi", "pypi")) -> list[Line]:
    """The lines for a version, in the order of a release; the indexes are asked at the same time."""
    with ThreadPoolExecutor(len(targets) or 1) as pool:
        asked = [pool.submit(on_index, state, target) for target in targets]
        here = [tagged(project, state.version), built(state), rehearsed(state)]
        return [*here, *(answer.result() for answer in asked), pushed(project, state.version)]


def left(lines: Sequence[Line]) -> list[str]:
    """What is left to do, in order."""
    return list(dict.fromkeys(line.next for line in lines if line.next))


def tagged(project: Project, version: str) -> Line:
    """Whether the commit bears the version's tag and nothing is uncommitted."""
    state, tag = project.git, tag_of(project, version)
    if state is None:
        return Line("commit", UNKNOWN, "git doesn't know this project", f"commit everything and tag it {tag}")
    commit = state.commit[:10]
    if tag not in state.tags:
        return Line("commit", NO, f"{commit} doesn't bear the tag {tag}",
                    f'git tag --annotate {tag} --message "{project.name} {version}"')
    if state.dirty:
        return Line("commit", PARTLY, f"{tag} is {commit}, and {len(state.dirty)} files differ from it",
                    "commit or put away what has changed")
    return Line("commit", YES, f"{tag} is {commit}")


def built(state: State) -> Line:
    """Whether the files are there, as they were built."""
    hashes, entry = state.hashes(), state.ledger().entries.get("build", {})
    if not hashes:
        return Line("build", NO, "not built", "handbook release rehearse")
    if not state.whole():
        return Line("build", NO, "the files in dist aren't those of the ledger",
                    f"remove {state.folder.relative_to(state.project.root)} and run handbook release rehearse")
    try:
        state.check_origin()
    except HandbookError as problem:
        return Line("build", PARTLY, f"{problem.what}: {problem.why}", problem.todo)
    return Line("build", YES, f"{', '.join(sorted(hashes))} {_when(entry)}")


def rehearsed(state: State) -> Line:
    """Whether the rehearsal went through to its end with these files."""
    ledger = state.ledger()
    names = [name for name in ("check", "build", "inspect", "gate", "test", "upload", "verify")
             if name not in ledger.entries]
    if not names and _later(ledger.entries["verify"], ledger.entries["build"]):
        return Line(REHEARSAL, YES, f"passed {_when(ledger.entries['verify'])}")
    missing = f"these steps are left: {', '.join(names)}" if names else "the files are newer than their rehearsal"
    return Line(REHEARSAL, PARTLY if len(names) < 7 else NO, missing, "handbook release rehearse")


def on_index(state: State, target: str) -> Line:
    """Which files an index shows, compared by their hashes."""
    publish = f"handbook release publish --to {target}"
    try:
        index = index_addresses.index(target)
        found = listing(index, state.project.name, timeout=10)
    except (IndexDown, HandbookError) as problem:
        return Line(target, UNKNOWN, str(problem))
    return compared(state, target, found, publish)


def compared(state: State, target: str, found: dict[str, Listed], publish: str) -> Line:
    """What the files that an index shows mean for this version."""
    from labhandbook.release.upload_refusals import next_version

    hashes, uploaded = state.hashes(), state.ledger(target).entries.get("upload", {})
    theirs = {name: file for name, file in found.items() if of_version(name, state.version)}
    if hashes and any(file.sha256 != hashes[name] for name, file in theirs.items() if name in hashes and file.sha256):
        return Line(target, PARTLY, f"it has other files of {state.version}",
                    f"release {next_version(state.version)}: file names can be used once only")
    ours = [name for name in hashes if name in theirs] if hashes else list(theirs)
    if not ours:
        seen = f"uploaded {_when(uploaded)}, not shown yet" if uploaded else f"no file of {state.version}"
        return Line(target, NO, seen, f"handbook release verify --from {target}" if uploaded else publish)
    yanked = [file.yanked for name, file in theirs.items() if file.yanked is not None]
    if yanked:
        return Line(target, PARTLY, f"yanked{': ' + yanked[0] if yanked[0] else ''}")
    if len(ours) < len(hashes):
        return Line(target, PARTLY, f"{len(ours)} of {len(hashes)} files are there", publish)
    verified = state.ledger(target).entries.get("verify")
    return Line(target, YES, f"{len(ours)} files are there" + (f", verified {_when(verified)}" if verified else ""),
                "" if verified else f"handbook release verify --from {target}")


def pushed(project: Project, version: str) -> Line:
    """Whether the git host has the tag, on the same commit."""
    state, tag = project.git, tag_of(project, version)
    if state is None or state.remote is None:
        return Line("git host", UNKNOWN, "there is no remote")
    if state.remote_tags is None:
        return Line("git host", UNKNOWN, f"{state.remote} didn't answer")
    there = state.remote_tags.get(tag)
    if there is None:
        return Line("git host", NO, f"{state.remote} doesn't have {tag}", f"git push {state.remote} {tag}")
    if tag in state.tags and there != state.commit:
        return Line("git host", PARTLY, f"{tag} is another commit on {state.remote}: {there[:10]}",
                    "release the next patch version: a tag that others have seen doesn't move")
    return Line("git host", YES, f"{state.remote} has {tag}")


def of_version(filename: str, version: str) -> bool:
    """Whether a file belongs to a version."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
    from packaging.version import Version

    try:
        parsed = (parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename)(filename)
    except (InvalidSdistFilename, InvalidWheelFilename):
        return False
    return parsed[1] == Version(version)


def _when(entry: dict[str, Any] | None) -> str:
    at = (entry or {}).get("at", "")
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def _later(entry: dict[str, Any], other: dict[str, Any]) -> bool:
    return datetime.fromisoformat(entry["at"]) >= datetime.fromisoformat(other["at"])
