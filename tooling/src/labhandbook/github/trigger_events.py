"""What starts a workflow: each trigger with what is known about it beforehand, and whether a job runs on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from labhandbook.core.yaml_reader import Value
from labhandbook.github.expressions import FITTING, UNKNOWN, Begins, Known, holds
from labhandbook.github.workflow_model import Job, Workflow

TAG, BRANCH = "refs/tags/", "refs/heads/"
# The events of a release that is published at once; without `types` GitHub starts a run for each of them.
RELEASED = ("created", "published", "released")
RELEASES = (*RELEASED, "prereleased", "edited", "unpublished", "deleted")
# A job whose condition asks how other jobs ended may run after a job that did not run.
STATUS = re.compile(r"\b(always|failure|cancelled)\s*\(")


@dataclass(frozen=True)
class Trigger:
    """One way to start a workflow: the event, its action, the ref as far as it is known, and the line.

    `sure` says whether the step in question runs whatever the run decides. `fork` asks what happens in a fork.
    """

    event: str
    action: str = ""
    ref: Known = UNKNOWN
    line: int = 0
    sure: bool = field(default=True, compare=False)
    fork: bool = field(default=False, compare=False)

    @property
    def of_tag(self) -> bool:
        """Whether it is about a tag for sure."""
        return isinstance(self.ref, str) and self.ref.startswith(TAG)

    @property
    def of_branch(self) -> bool:
        """Whether it is about a branch for sure."""
        return (self.ref.prefix if isinstance(self.ref, Begins) else str(self.ref)).startswith(BRANCH)

    @property
    def known(self) -> dict[str, Known]:
        """The contexts that expressions may ask for."""
        kind: Known = "tag" if self.of_tag else "branch" if self.of_branch else UNKNOWN
        name: Known = str(self.ref).split("/", 2)[2] if isinstance(self.ref, str) else UNKNOWN
        own: Known = "someone/a-fork" if self.fork else FITTING
        found: dict[str, Known] = {"github.event_name": self.event, "github.ref": self.ref, "github.ref_type": kind,
                                   "github.ref_name": name, "github.repository": own,
                                   "github.repository_owner": own}
        if self.event in ("push", "release", "schedule", "workflow_dispatch"):
            found["github.event.action"] = self.action or None
        return found


def triggers(workflow: Workflow, tag: str) -> list[Trigger]:
    """The triggers of a workflow, the push of `tag` among them if its filters admit it."""
    return [trigger for event, filters in workflow.events.items()
            for trigger in _of(event, filters, tag, workflow.event_line(event))]


def _of(event: str, filters: Value, tag: str, line: int) -> Iterator[Trigger]:
    if event == "push":
        yield from _pushes(filters, tag, line)
    elif event == "release":
        types = [value.text for value in filters["types"].words] or RELEASES
        yield from (Trigger(event, action, TAG + tag, line) for action in types)
    elif event == "pull_request":
        yield Trigger(event, "", Begins("refs/pull/"), line)
    elif event in ("schedule", "workflow_run", "pull_request_target", "merge_group"):
        yield Trigger(event, "", Begins(BRANCH), line)
    elif event != "workflow_call":
        yield Trigger(event, "", UNKNOWN, line)


def _pushes(filters: Value, tag: str, line: int) -> Iterator[Trigger]:
    """Pushes: a filter on tags alone shuts out branches, one on branches alone shuts out tags."""
    of_tags, of_branches = ({kind, f"{kind}-ignore"} & filters.map.keys() for kind in ("tags", "branches"))
    if tag_admitted(filters, tag):
        yield Trigger("push", "", TAG + tag, line)
    if of_branches or not of_tags:
        named = [value.text for value in filters["branches"].words]
        literal = len(named) == 1 and not re.search(r"[*?+!\[]", named[0])
        yield Trigger("push", "", BRANCH + named[0] if literal else Begins(BRANCH), line)


def tag_admitted(filters: Value, tag: str) -> bool:
    """Whether the push of a tag passes the filters of `on: push`."""
    if "tags" in filters.map:
        return admitted((value.text for value in filters["tags"].words), tag)
    if "tags-ignore" in filters.map:
        return not admitted((value.text for value in filters["tags-ignore"].words), tag)
    return not {"branches", "branches-ignore"} & filters.map.keys()


def admitted(patterns: Iterable[str], name: str) -> bool:
    """Whether GitHub's filter patterns admit a name; later patterns win over earlier ones.

    See "Filter pattern cheat sheet" in GitHub's workflow syntax.
    """
    found = False
    for pattern in patterns:
        denied = pattern.startswith("!")
        if re.fullmatch(_expression(pattern.removeprefix("!")), name):
            found = not denied
    return found


def _expression(pattern: str) -> str:
    """A filter pattern as a regular expression: ? and + repeat the character before them."""
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


def runs(job: Job, trigger: Trigger) -> bool | None:
    """Whether a job runs on a trigger, by its condition and those of the jobs before it; None if in doubt."""
    return conjoined(holds(each.body["if"].text, trigger.known) for each in deciding(job))


def deciding(job: Job) -> list[Job]:
    """A job, and the jobs before it whose skipping skips it.

    One that was skipped skips all jobs behind it that ask for no status, also where a job between them asked for one
    and ran: actions/runner#2205.
    """
    return [job, *([] if STATUS.search(job.body["if"].text) else job.before)]


def conjoined(verdicts: Iterable[bool | None]) -> bool | None:
    """False if one is false, else None if one is in doubt."""
    found = list(verdicts)
    return False if False in found else None if None in found else True


def admissible(starts: Iterable[Trigger], verdict: Callable[[Trigger], bool | None]) -> Iterator[Trigger]:
    """The triggers on which something may run, each with whether that is sure."""
    for trigger in starts:
        found = verdict(trigger)
        if found is not False:
            yield replace(trigger, sure=trigger.sure and found is True)
