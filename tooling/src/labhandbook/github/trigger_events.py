"""What starts a workflow: every occasion with what is known of it, and whether a job runs on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from labhandbook.github.expressions import FITTING, UNKNOWN, Begins, Told, holds
from labhandbook.github.workflow_model import Job, Workflow
from labhandbook.github.workflow_yaml import Value

TAG, BRANCH = "refs/tags/", "refs/heads/"
# What a person who publishes a release directly sets off; without `types` GitHub starts a run for each.
RELEASED = ("created", "published", "released")
RELEASES = (*RELEASED, "prereleased", "edited", "unpublished", "deleted")
# A job whose condition asks how others ended may run after a job that didn't.
STATUS = re.compile(r"\b(always|failure|cancelled)\s*\(")


@dataclass(frozen=True)
class Occasion:
    """One way to start a workflow: the event, its action, the ref as far as it is known, and the trigger's line.

    `sure` says whether a step that it is told of runs for sure, or on a condition that only a run can tell.
    """

    event: str
    action: str = ""
    ref: Told = UNKNOWN
    line: int = 0
    sure: bool = field(default=True, compare=False)

    @property
    def of_tag(self) -> bool:
        """Whether it is about a tag for sure."""
        return isinstance(self.ref, str) and self.ref.startswith(TAG)

    @property
    def of_branch(self) -> bool:
        """Whether it is about a branch for sure."""
        return (self.ref.prefix if isinstance(self.ref, Begins) else str(self.ref)).startswith(BRANCH)

    @property
    def known(self) -> dict[str, Told]:
        """The contexts that expressions may ask for."""
        kind: Told = "tag" if self.of_tag else "branch" if self.of_branch else UNKNOWN
        name: Told = str(self.ref).split("/", 2)[2] if isinstance(self.ref, str) else UNKNOWN
        told: dict[str, Told] = {"github.event_name": self.event, "github.ref": self.ref, "github.ref_type": kind,
                                 "github.ref_name": name, "github.repository": FITTING,
                                 "github.repository_owner": FITTING}
        if self.event in ("push", "release", "schedule", "workflow_dispatch"):
            told["github.event.action"] = self.action or None
        return told


def occasions(workflow: Workflow, tag: str) -> list[Occasion]:
    """The occasions on which a workflow starts by itself, the push of `tag` among them if its filters admit it."""
    return [occasion for event, filters in workflow.triggers.items()
            for occasion in _of(event, filters, tag, workflow.trigger_line(event))]


def _of(event: str, filters: Value, tag: str, line: int) -> Iterator[Occasion]:
    if event == "push":
        yield from _pushes(filters, tag, line)
    elif event == "release":
        types = [value.text for value in filters["types"].words] or RELEASES
        yield from (Occasion(event, action, TAG + tag, line) for action in types)
    elif event == "pull_request":
        yield Occasion(event, "", Begins("refs/pull/"), line)
    elif event in ("schedule", "workflow_run", "pull_request_target", "merge_group"):
        yield Occasion(event, "", Begins(BRANCH), line)
    elif event != "workflow_call":
        yield Occasion(event, "", UNKNOWN, line)


def _pushes(filters: Value, tag: str, line: int) -> Iterator[Occasion]:
    """Pushes: a filter on tags alone shuts out branches, one on branches alone shuts out tags."""
    of_tags, of_branches = ({kind, f"{kind}-ignore"} & filters.map.keys() for kind in ("tags", "branches"))
    if tag_admitted(filters, tag):
        yield Occasion("push", "", TAG + tag, line)
    if of_branches or not of_tags:
        named = [value.text for value in filters["branches"].words]
        literal = len(named) == 1 and not re.search(r"[*?+!\[]", named[0])
        yield Occasion("push", "", BRANCH + named[0] if literal else Begins(BRANCH), line)


def tag_admitted(filters: Value, tag: str) -> bool:
    """Whether the push of a tag passes the filters of `on: push`."""
    if "tags" in filters.map:
        return admitted((value.text for value in filters["tags"].words), tag)
    if "tags-ignore" in filters.map:
        return not admitted((value.text for value in filters["tags-ignore"].words), tag)
    return not {"branches", "branches-ignore"} & filters.map.keys()


def admitted(patterns: Iterable[str], name: str) -> bool:
    """Whether GitHub's filter patterns, the later ones over the earlier, let a name through.

    See "Filter pattern cheat sheet" in GitHub's workflow syntax.
    """
    let = False
    for pattern in patterns:
        denied = pattern.startswith("!")
        if re.fullmatch(_expression(pattern.removeprefix("!")), name):
            let = not denied
    return let


def _expression(pattern: str) -> str:
    """A filter pattern as a regular expression: ? and + repeat what stands before them."""
    made, place = "", 0
    while place < len(pattern):
        character = pattern[place]
        if pattern.startswith("**", place):
            made, place = made + ".*", place + 1
        elif character == "*":
            made += "[^/]*"
        elif character in "?+" and made:
            made += character
        elif character == "[" and "]" in pattern[place:]:
            end = pattern.index("]", place)
            inner = pattern[place + 1:end].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            made, place = f"{made}[{inner}]" if inner else made, end
        elif character == "\\" and place + 1 < len(pattern):
            place += 1
            made += re.escape(pattern[place])
        else:
            made += re.escape(character)
        place += 1
    try:
        re.compile(made)
    except re.error:
        return re.escape(pattern)
    return made


def runs(job: Job, occasion: Occasion, seen: frozenset[str] = frozenset()) -> bool | None:
    """Whether a job runs on an occasion, by its condition and those of the jobs it waits for; None if in doubt."""
    condition = job.body["if"].text
    told = [holds(condition, occasion.known)]
    if not STATUS.search(condition):
        told += [runs(job.workflow.jobs[name], occasion, seen | {job.name}) for name in job.needs
                 if name in job.workflow.jobs and name not in seen]
    return conjoined(told)


def conjoined(told: Iterable[bool | None]) -> bool | None:
    """False if one is false, else None if one is in doubt."""
    found = list(told)
    return False if False in found else None if None in found else True


def admissible(starts: Iterable[Occasion], verdict: Callable[[Occasion], bool | None]) -> Iterator[Occasion]:
    """The occasions on which something may run, each with whether that is sure."""
    for occasion in starts:
        told = verdict(occasion)
        if told is not False:
            yield replace(occasion, sure=occasion.sure and told is True)
