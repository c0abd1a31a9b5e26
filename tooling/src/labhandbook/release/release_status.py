"""How far a version is: what git, its host, the indexes and the ledgers say, which steps are done, what is left."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.section_addresses import readable
from labhandbook.package import index_addresses
from labhandbook.package.project import Project, tag_of
from labhandbook.package.simple_index import IndexDown, Listed, listing, release_of
from labhandbook.release.next_version import Proposal, propose
from labhandbook.release.release_folder import REHEARSAL, State
from labhandbook.release.release_steps import Planned, plan, steps
from labhandbook.release.step_actions import Release
from labhandbook.release.upload_refusals import closed, next_version

YES, NO, PARTLY, UNKNOWN = "yes", "no", "partly", "unknown"
MARKS = {YES: "✓", NO: "·", PARTLY: "!", UNKNOWN: "?"}
BAD = "sec-updating-bad"
TAG = "git tag --annotate"


@dataclass(frozen=True)
class Line:
    """One thing that is true, is not, or is unknown; `next` is what to do about it, if anything."""

    about: str
    state: str
    text: str
    next: str = ""


@dataclass(frozen=True)
class Status:
    """How far a version is."""

    project: str
    version: str
    known: Sequence[Line]
    steps: Sequence[Planned]
    proposal: Proposal | None = None

    @property
    def left(self) -> list[str]:
        """What is left to do, in order: a commit is rehearsed before it gets a tag, which can't be moved later."""
        asked = [line.next for line in self.known if line.next]
        first = ["handbook release rehearse --untagged"] if any(what.startswith(TAG) for what in asked) else []
        return list(dict.fromkeys([*first, *asked]))

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        return {"project": self.project, "version": self.version, "left": self.left,
                "next-version": asdict(self.proposal) if self.proposal else None,
                "lines": [asdict(line) for line in self.known], "steps": [asdict(step) for step in self.steps],
                "take-back": BAD}

    def lines(self) -> list[str]:
        """The same for people."""
        shown = [f"{self.project} {self.version}",
                 *(f"  {MARKS[line.state]} {line.about:<12} {line.text}" for line in self.known), "  steps:"]
        for number, step in enumerate(self.steps, 1):
            mark = MARKS[YES if step.state == "done" else NO]
            shown += [f"  {mark} {number}. {step.step:<9} {step.does}",
                      f"                 needs {', '.join(step.needs)}; leaves {step.leaves}",
                      f"                 {readable(step.section)}"]
        unknown = [line.about for line in self.known if line.state == UNKNOWN]
        nothing = f"  nothing else is left to do; unknown: {', '.join(unknown)}"
        nothing = nothing if unknown else "  nothing is left to do"
        shown += ["  left to do:" if self.left else nothing, *(f"    {what}" for what in self.left)]
        return [*shown, f"  to take back a bad release, see {readable(BAD)}"]


def status(release: Release, targets: Sequence[str] = ("testpypi", "pypi")) -> Status:
    """How far a release is; the indexes are asked at the same time."""
    project, state = release.project, release.state
    with ThreadPoolExecutor(len(targets) or 1) as pool:
        asked = [pool.submit(on_index, state, target) for target in targets]
        planned, proposal = plan(release, steps("rehearse")), propose(project)
        known = [tagged(project, state.version, proposal), *proposed(proposal, state.version), built(state),
                 rehearsed(state, planned), *(answer.result() for answer in asked),
                 pushed(project, taggable(project, state.version, proposal))]
    return Status(project.name, state.version, known, planned, proposal)


def proposed(proposal: Proposal | None, version: str) -> list[Line]:
    """The version to choose, and why; nothing where the commit has its tag."""
    if proposal is None:
        return []
    from packaging.version import Version

    ours = Version(version)
    if ours.is_devrelease or ours.local or ours == Version(proposal.version):
        return [Line("next version", YES, str(proposal))]
    return [Line("next version", PARTLY if ours < Version(proposal.version) else YES,
                 f"{version} is written down; what changed asks for {proposal}")]


def tagged(project: Project, version: str, proposal: Proposal | None = None) -> Line:
    """Whether the commit has the version's tag and nothing is uncommitted."""
    state = project.git
    version = taggable(project, version, proposal)
    tag = tag_of(project, version)
    if state is None:
        return Line("commit", UNKNOWN, "this project is not in git",
                    f"git init, then commit everything and tag the commit {tag}")
    commit = state.commit[:10]
    if tag not in state.tags:
        return Line("commit", NO, f"{commit} does not have the tag {tag}",
                    f'{TAG} {tag} --message "{project.name} {version}"')
    if state.dirty:
        return Line("commit", PARTLY, f"{tag} is {commit}, and {len(state.dirty)} files differ from it",
                    "commit the changes, or undo them")
    return Line("commit", YES, f"{tag} is {commit}")


def taggable(project: Project, version: str, proposal: Proposal | None) -> str:
    """The version to tag. `0.1.dev1+g27f6aa6e` of an untagged commit, which indexes refuse, gives way to the proposed
    one; before there is any tag, to 0.1.0, the release that it leads to.
    """
    from packaging.version import Version

    asked = Version(version)
    if not (asked.is_devrelease or asked.local) or (project.git and tag_of(project, version) in project.git.tags):
        return version
    return proposal.version if proposal else ".".join(map(str, [*asked.release, 0, 0][:max(3, len(asked.release))]))


def built(state: State) -> Line:
    """Whether the files are there, as they were built."""
    hashes = state.hashes()
    if not hashes:
        return Line("build", NO, "not built", "handbook release rehearse")
    if not state.whole():
        return Line("build", NO, "the files in dist are not those of the ledger",
                    f"remove {state.folder.relative_to(state.project.root)} and run handbook release rehearse")
    try:
        state.check_origin()
    except HandbookError as problem:
        return Line("build", PARTLY, f"{problem.what}: {problem.why}", problem.todo)
    return Line("build", YES, f"{', '.join(sorted(hashes))} {_when(state.ledger().entries.get('build'))}")


def rehearsed(state: State, planned: Sequence[Planned]) -> Line:
    """Whether a rehearsal passed with these files."""
    undone = [step.step for step in planned if step.state != "done"]
    if not undone:
        return Line(REHEARSAL, YES, f"passed {_when(state.ledger().entries.get('verify'))}")
    return Line(REHEARSAL, PARTLY if len(undone) < len(planned) else NO, f"these steps are left: {', '.join(undone)}",
                "handbook release rehearse")


def on_index(state: State, target: str) -> Line:
    """Which files an index lists, compared by their hashes."""
    try:
        found = listing(index_addresses.index(target), state.project.name, timeout=10)
    except (IndexDown, HandbookError) as problem:
        return Line(target, UNKNOWN, str(problem))
    line, place = compared(state, target, found), index_addresses.index(target)
    return replace(line, text=f"{place.label}: {line.text}") if place.moved else line


def compared(state: State, target: str, found: dict[str, Listed]) -> Line:
    """What the files that an index lists mean for this version."""
    from packaging.version import Version

    hashes, uploaded = state.hashes(), state.ledger(target).entries.get("upload", {})
    publish, verify = f"handbook release publish --to {target}", f"handbook release verify --from {target}"
    theirs = {name: file for name, file in found.items()
              if release_of(name) == (state.project.normalised, Version(state.version))}
    if any(file.sha256 != hashes[name] for name, file in theirs.items() if name in hashes and file.sha256):
        return Line(target, PARTLY, f"it has other files of {state.version}",
                    f"release {next_version(state.version)}: a file name can be used only once")
    ours = [name for name in hashes if name in theirs] if hashes else list(theirs)
    if not ours:
        seen = f"uploaded {_when(uploaded)}, not listed yet" if uploaded else f"no file of {state.version}"
        return Line(target, NO, seen, verify if uploaded else publish)
    yanked = [file.yanked for file in theirs.values() if file.yanked is not None]
    if yanked:
        return Line(target, PARTLY, f"yanked{': ' + yanked[0] if yanked[0] else ''}")
    if len(ours) < len(hashes):
        late = closed(index_addresses.index(target), state.project.name, state.version, theirs.values())
        there = f"{len(ours)} of {len(hashes)} files are there"
        return Line(target, PARTLY, f"{there}; {late.why}" if late else there, late.todo if late else publish)
    verified = state.ledger(target).entries.get("verify")
    return Line(target, YES, f"{len(ours)} files are there" + (f", verified {_when(verified)}" if verified else ""),
                "" if verified else verify)


def pushed(project: Project, version: str) -> Line:
    """Whether the git host has the tag, on the same commit."""
    state, tag = project.git, tag_of(project, version)
    if state is None or state.remote is None:
        return Line("git host", UNKNOWN, "there is no remote")
    if state.remote_tags is None:
        return Line("git host", UNKNOWN, f"{state.remote} did not answer")
    there = state.remote_tags.get(tag)
    if there is None:
        return Line("git host", NO, f"{state.remote} does not have {tag}", f"git push {state.remote} {tag}")
    if tag in state.tags and there != state.commit:
        return Line("git host", PARTLY, f"{tag} is another commit on {state.remote}: {there[:10]}",
                    "release the next patch version: a tag that others have seen is never moved")
    return Line("git host", YES, f"{state.remote} has {tag}")


def _when(entry: dict[str, Any] | None) -> str:
    at = (entry or {}).get("at", "")
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else ""
