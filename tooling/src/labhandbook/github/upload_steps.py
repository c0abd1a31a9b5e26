"""Where workflows upload to a package index: the step, its tool, the index, and how it proves its identity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from labhandbook.core.errors import HandbookError
from labhandbook.core.yaml_reader import Value
from labhandbook.github.expressions import holds
from labhandbook.github.trigger_events import Trigger, admissible, conjoined, runs, triggers
from labhandbook.github.workflow_model import FOLDER, Job, Step, Workflow, action
from labhandbook.package import index_addresses

PYPA = "pypa/gh-action-pypi-publish"
MATURIN = ("pyo3/maturin-action", "messense/maturin-action")
# The commands that upload.
COMMANDS = {
    "twine": r"twine\s+upload", "uv": r"uv\s+publish", "pdm": r"pdm\s+publish",
    "handbook": r"handbook\s+release\s+publish", "maturin": r"maturin\s+(?:upload|publish)",
    "flit": r"flit\s+publish", "poetry": r"poetry\s+publish", "hatch": r"hatch\s+publish",
    "setup.py": r"setup\.py\s.*\bupload",
}
# Tools that support trusted publishing themselves.
OIDC = {PYPA, "maturin-action", "twine", "uv", "pdm", "handbook", "maturin"}
SPOKEN = re.compile(r"^\s*(#|echo\b|printf\b)|--dry-run|--help")
# Variables and options that carry a password or a token, and commands that store one.
SECRET = re.compile(r"(TWINE|UV_PUBLISH|MATURIN|PDM_PUBLISH|FLIT|POETRY|HATCH_INDEX)\w*(PASSWORD|TOKEN|AUTH)")
GIVEN = re.compile(r"\s(--password|--token|-p)[ =]|config\s+(pypi-token|http-basic)")
ADDRESS = re.compile(r"--(?:repository-url|publish-url|check-url)[ =](\S+)")
PLACES = ("TWINE_REPOSITORY", "TWINE_REPOSITORY_URL", "UV_PUBLISH_URL", "UV_PUBLISH_INDEX")
NAMED = re.compile(r"(?:--(?:repository|index|to)|\s-r|\s-i)[ =]([\w.$\"'{}:/-]+)")


@dataclass(frozen=True)
class Caller:
    """A job that calls the workflow of a publication, and the triggers on which it does."""

    job: Job
    triggers: tuple[Trigger, ...]


@dataclass(frozen=True)
class Publication:
    """One upload. `index` is "pypi", "testpypi", "other", or "" where only a run decides.

    `secret` is the line that gives a password or token, 0 without one; `unsure` says that there may be one that is
    not visible in the workflow. `triggers` are those of its own workflow.
    """

    job: Job
    step: Step
    line: int
    tool: str
    index: str
    secret: int = 0
    unsure: bool = False
    triggers: tuple[Trigger, ...] = ()
    callers: tuple[Caller, ...] = ()

    @property
    def file(self) -> str:
        """The file that holds the upload."""
        return self.step.file

    @property
    def workflow(self) -> Workflow:
        """The workflow that holds the job."""
        return self.job.workflow

    @property
    def by_identity(self) -> bool:
        """Whether it uploads by trusted publishing: a tool that supports it, and no password in sight."""
        return self.tool in OIDC and not self.secret and not self.unsure

    @property
    def every(self) -> tuple[Trigger, ...]:
        """All triggers on which it may upload, those of callers included."""
        return self.triggers + tuple(each for caller in self.callers for each in caller.triggers)

    @property
    def sure(self) -> tuple[Trigger, ...]:
        """The triggers on which it uploads whatever a run decides."""
        return tuple(each for each in self.every if each.sure)

    @property
    def folder(self) -> str:
        """The folder that the PyPA's action uploads."""
        given = self.step.inputs["packages-dir"] or self.step.inputs["packages_dir"]
        return given.text.strip().removeprefix("./").strip("/ ") or "dist"


@dataclass(frozen=True)
class Sources:
    """The workflows of a repository by file, its composite actions by folder, and its own name on GitHub."""

    workflows: Mapping[str, Workflow]
    composites: Mapping[str, tuple[str, Value]] = field(default_factory=dict)
    slug: str = ""
    tag: str = "v1.2.3"

    def steps(self, steps: Sequence[Step], depth: int = 5) -> Iterator[Step]:
        """Steps with those of local composite actions in their places."""
        for step in steps:
            yield step
            uses = step.body["uses"].text
            folder = uses[2:].rstrip("/")
            if depth and uses.startswith(("./", "$/")) and folder in self.composites:
                file, body = self.composites[folder]
                inside = [Step(inner, file, step.conditions) for inner in body["runs"]["steps"].items]
                yield from self.steps(inside, depth - 1)

    def called(self, job: Job) -> Workflow | None:
        """The workflow that a job calls, if it is one of this repository."""
        uses = job.calls.text
        if uses.startswith(("./", "$/")):
            return self.workflows.get(uses[2:])
        other = action(job.calls)
        own = other is not None and other.repository == self.slug.lower() and other.path.startswith(FOLDER)
        return self.workflows.get(other.path) if other and own else None

    def reached(self, workflow: Workflow, depth: int = 4) -> Iterator[Workflow]:
        """A workflow, and those that it calls in this repository."""
        yield workflow
        for job in workflow.jobs.values():
            called = self.called(job)
            if called is not None and depth:
                yield from self.reached(called, depth - 1)

    def callers(self, workflow: Workflow, depth: int = 4) -> list[Caller]:
        """The jobs that call a workflow, with the triggers on which they run."""
        found = []
        for other in self.workflows.values():
            for job in other.jobs.values():
                if depth and self.called(job) is workflow:
                    starts = [*triggers(other, self.tag),
                              *(each for caller in self.callers(other, depth - 1) for each in caller.triggers)]
                    found.append(Caller(job, tuple(admissible(starts, partial(runs, job)))))
        return found


def publications(sources: Sources) -> list[Publication]:
    """Every upload of a repository's workflows."""
    return [found for workflow in sources.workflows.values() for job in workflow.jobs.values()
            for step in sources.steps(job.steps) for found in _of_step(sources, job, step)]


def _of_step(sources: Sources, job: Job, step: Step) -> Iterator[Publication]:
    for line, tool, index, secret in [*_by_action(step), *_by_command(job, step)]:
        stored = any(".pypirc" in each.text for other in job.steps for each in other.run.scalars())
        verdict = partial(reaches, job, step)
        starts = tuple(admissible(triggers(job.workflow, sources.tag), verdict))
        callers = tuple(Caller(caller.job, tuple(admissible(caller.triggers, verdict)))
                        for caller in sources.callers(job.workflow))
        yield Publication(job, step, line, tool, index, secret, stored or tool not in OIDC, starts, callers)


def reaches(job: Job, step: Step, trigger: Trigger) -> bool | None:
    """Whether a step of a job runs on a trigger; None if in doubt."""
    return conjoined([runs(job, trigger), *(holds(each, trigger.known) for each in step.conditions)])


def _by_action(step: Step) -> Iterator[tuple[int, str, str, int]]:
    """An upload by an action."""
    if step.uses(PYPA):
        url = step.inputs["repository-url"] or step.inputs["repository_url"]
        secret = step.inputs.at("password") if step.inputs["password"].text else 0
        yield step.body["uses"].line, PYPA, which(url.text), secret
    elif step.uses(*MATURIN) and step.inputs["command"].word in ("upload", "publish"):
        secret = next((value.line for name, value in step.body["env"].map.items() if SECRET.match(name)), 0)
        yield step.body["uses"].line, "maturin-action", "pypi", secret


def _by_command(job: Job, step: Step) -> Iterator[tuple[int, str, str, int]]:
    """Uploads by commands in a script."""
    variables = [(name, value, env.at(name)) for env in (job.workflow.body["env"], job.body["env"], step.body["env"])
                 for name, value in env.map.items()]
    stored = next((line for name, _, line in variables if SECRET.match(name)), 0)
    place = next((value.text for name, value, _ in reversed(variables) if name in PLACES), "")
    for number, line in step.run.lines:
        for tool, command in COMMANDS.items():
            match = re.search(rf"(?<![\w/.-]){command}\b(.*)", line)
            if match and not SPOKEN.search(line):
                given = GIVEN.search(match[1]) or SECRET.search(step.run.text)
                named = ADDRESS.search(match[1]) or NAMED.search(match[1])
                yield number, tool, which(named[1] if named else place), stored or (number if given else 0)


def which(place: str) -> str:
    """The index that a name or an address means: PyPI without one, "" where it is made from variables."""
    place = place.strip("\"'").lower()
    if not place or "$" in place:
        return "" if place else "pypi"
    if "://" not in place:
        return {"pypi": "pypi", "testpypi": "testpypi", "test-pypi": "testpypi"}.get(place, "other")
    host = place.partition("://")[2].partition("/")[0]
    return next((name for name, known in hosts().items() if host in known), "other")


def hosts() -> dict[str, set[str | None]]:
    """The host names of the two indexes, as twine knows them; none without twine."""
    try:
        known = [index_addresses.index(name) for name in index_addresses.KNOWN]
    except HandbookError:
        return {}
    return {index.name: {urlsplit(index.upload).hostname, urlsplit(index.web).hostname} for index in known}
