"""A workflow as its file describes it: events, jobs, steps, and what the token of a job may do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from labhandbook.core.untrusted_data import Unreadable
from labhandbook.core.yaml_reader import Value, read_yaml

FOLDER = ".github/workflows"
# owner/name/path@ref, with or without a path.
USES = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?P<path>/[^@]*)?@(?P<ref>.+)")
COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION = re.compile(r"v?(\d+(?:\.\d+)*)")


@dataclass(frozen=True)
class Action:
    """What a step or job calls: `repository` in lower case, `path` inside it, `ref`, and the comment behind it."""

    repository: str
    path: str
    ref: str
    line: int
    comment: str = ""

    @property
    def version(self) -> tuple[int, ...]:
        """The version that the tag, or the comment behind a commit, names; empty where neither does."""
        named = self.comment.removeprefix("tag=").strip() if COMMIT.fullmatch(self.ref) else self.ref
        found = VERSION.match(named)
        return tuple(map(int, found[1].split("."))) if found else ()


def action(uses: Value) -> Action | None:
    """The action or workflow that `uses` names; None for a local one, a container or an expression."""
    match = USES.fullmatch(uses.text.strip())
    if match is None or uses.text.startswith((".", "$", "docker:")):
        return None
    path = (match["path"] or "").strip("/")
    return Action(match["repository"].lower(), path, match["ref"], uses.line, uses.comment)


@dataclass(frozen=True)
class Step:
    """One step of a job; `file` is that of the composite action if the step is in one.

    `outer` are the conditions of the steps that use the action.
    """

    body: Value
    file: str
    outer: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that must hold for it to run within its job."""
        return (*self.outer, self.body["if"].text)

    @property
    def line(self) -> int:
        """The line on which it begins."""
        return self.body.line

    @cached_property
    def action(self) -> Action | None:
        """The action that it uses, if that is one of a repository."""
        return action(self.body["uses"])

    @property
    def run(self) -> Value:
        """Its shell script."""
        return self.body["run"]

    @property
    def inputs(self) -> Value:
        """The inputs that it gives to its action."""
        return self.body["with"]

    def uses(self, *repositories: str) -> bool:
        """Whether its action is in one of these repositories."""
        return self.action is not None and self.action.repository in repositories


@dataclass(frozen=True)
class Job:
    """One job of a workflow."""

    name: str
    body: Value
    workflow: Workflow
    steps: tuple[Step, ...] = ()

    @property
    def line(self) -> int:
        """The line of its name."""
        return self.workflow.body["jobs"].at(self.name)

    @property
    def needs(self) -> list[str]:
        """The jobs that it waits for."""
        return [value.text for value in self.body["needs"].words]

    @property
    def before(self) -> list[Job]:
        """The jobs that it waits for, and those that they wait for."""
        found: dict[str, Job] = {}
        waiting = list(self.needs)
        while waiting:
            name = waiting.pop(0)
            if name in self.workflow.jobs and name not in found and name != self.name:
                found[name] = self.workflow.jobs[name]
                waiting += found[name].needs
        return list(found.values())

    @property
    def calls(self) -> Value:
        """The workflow that it calls, if it calls one."""
        return self.body["uses"]

    @property
    def environment(self) -> Value:
        """The name of its environment; empty where it has none."""
        value = self.body["environment"]
        return value["name"] if value.map else value

    @property
    def permissions(self) -> Value:
        """The permissions that hold for it: its own, else those of the workflow, else empty."""
        own = self.body["permissions"]
        return own if "permissions" in self.body.map else self.workflow.body["permissions"]

    @property
    def restricted(self) -> bool:
        """Whether permissions are written down, which denies every permission that is not among them."""
        return "permissions" in self.body.map or "permissions" in self.workflow.body.map

    def permits(self, scope: str, level: str = "write") -> bool:
        """Whether its token gets a permission by name or by read-all and write-all."""
        levels = ("read", "write") if level == "read" else ("write",)
        if self.permissions.text:
            return self.permissions.word in [f"{each}-all" for each in levels]
        return self.permissions[scope].word in levels


@dataclass(frozen=True)
class Workflow:
    """A workflow file, `file` relative to the repository."""

    file: str
    body: Value

    @property
    def name(self) -> str:
        """The file's name, which is what a trusted publisher is registered with."""
        return PurePosixPath(self.file).name

    @cached_property
    def events(self) -> dict[str, Value]:
        """The events that start it, each with its filters."""
        on = self.body["on"]
        return on.map or {value.text: Value(line=value.line) for value in on.words}

    def event_line(self, event: str) -> int:
        """The line that names an event."""
        on = self.body["on"]
        return on.at(event) if on.map else next((word.line for word in on.words if word.text == event), on.line)

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """Its jobs by name, without the steps of composite actions (those need the repository)."""
        return {name: Job(name, body, self, tuple(Step(step, self.file) for step in body["steps"].items))
                for name, body in self.body["jobs"].map.items()}


def read_workflow(file: str, text: str) -> Workflow:
    """The workflow of a file. Raises Unreadable when it isn't YAML, or lacks what makes a workflow."""
    body = read_yaml(text, file)
    if not body.map:
        raise Unreadable(file, "is not a mapping", 1)
    for key in ("on", "jobs"):
        if key not in body.map:
            raise Unreadable(file, f"has no `{key}:`", 1)
    return Workflow(file, body)
