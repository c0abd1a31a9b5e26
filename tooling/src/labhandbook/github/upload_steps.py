"""Where workflows upload to a package index: the step, its tool, the index, and how it shows who it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from labhandbook.github.expressions import holds
from labhandbook.github.trigger_events import Occasion, admissible, conjoined, occasions, runs
from labhandbook.github.workflow_model import FOLDER, Job, Step, Workflow, action
from labhandbook.github.workflow_yaml import Value

PYPA = "pypa/gh-action-pypi-publish"
MATURIN = ("pyo3/maturin-action", "messense/maturin-action")
# The commands that upload.
COMMANDS = {
    "twine": r"twine\s+upload", "uv": r"uv\s+publish", "pdm": r"pdm\s+publish",
    "handbook": r"handbook\s+release\s+publish", "maturin": r"maturin\s+(?:upload|publish)",
    "flit": r"flit\s+publish", "poetry": r"poetry\s+publish", "hatch": r"hatch\s+publish",
    "setup.py": r"setup\.py\s.*\bupload",
}
# Those that know trusted publishing by themselves.
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
    """A job that calls the workflow of a publication, and the occasions on which it does."""

    job: Job
    occasions: tuple[Occasion, ...]


@dataclass(frozen=True)
class Publication:
    """One upload. `index` is "pypi", "testpypi", "other", or "" where only a run tells.

    `secret` is the line that gives a password or token, 0 without one; `unsure` says that one may stand where it
    can't be seen. `occasions` are those of its own workflow.
    """

    job: Job
    step: Step
    line: int
    tool: str
    index: str
    secret: int = 0
    unsure: bool = False
    occasions: tuple[Occasion, ...] = ()
    callers: tuple[Caller, ...] = ()

    @property
    def file(self) -> str:
        """The file in which the upload stands."""
        return self.step.file

    @property
    def workflow(self) -> Workflow:
        """The workflow that holds the job."""
        return self.job.workflow

    @property
    def by_identity(self) -> bool:
        """Whether it uploads by trusted publishing: a tool that knows it, and no password in sight."""
        return self.tool in OIDC and not self.secret and not self.unsure

    @property
    def every(self) -> tuple[Occasion, ...]:
        """All occasions on which it may upload, those of callers included."""
        return self.occasions + tuple(each for caller in self.callers for each in caller.occasions)

    @property
    def sure(self) -> tuple[Occasion, ...]:
        """The occasions on which it uploads, as far as its conditions can be told beforehand."""
        return tuple(each for each in self.every if each.sure)


@dataclass(frozen=True)
class Hosts:
    """The host names by which uploads to the two indexes are told apart, as twine knows them."""

    pypi: frozenset[str] = frozenset()
    testpypi: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sources:
    """The workflows of a repository by file, its composite actions by folder, and its own name on GitHub."""

    workflows: Mapping[str, Workflow]
    composites: Mapping[str, tuple[str, Value]] = field(default_factory=dict)
    slug: str = ""
    hosts: Hosts = Hosts()
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

    def reached(self, workflow: Workflow, depth: int = 4) -> Iterator[tuple[Workflow, Job]]:
        """The jobs of a workflow and of those that it calls in this repository."""
        for job in workflow.jobs.values():
            yield workflow, job
            called = self.called(job)
            if called is not None and depth:
                yield from self.reached(called, depth - 1)

    def callers(self, workflow: Workflow, depth: int = 4) -> list[Caller]:
        """The jobs that call a workflow, with the occasions on which they run."""
        found = []
        for other in self.workflows.values():
            for job in other.jobs.values():
                if depth and self.called(job) is workflow:
                    starts = [*occasions(other, self.tag),
                              *(each for caller in self.callers(other, depth - 1) for each in caller.occasions)]
                    found.append(Caller(job, tuple(admissible(starts, partial(runs, job)))))
        return found


def publications(sources: Sources) -> list[Publication]:
    """Every upload of a repository's workflows."""
    return [found for workflow in sources.workflows.values() for job in workflow.jobs.values()
            for step in sources.steps(job.steps) for found in _of_step(sources, job, step)]


def _of_step(sources: Sources, job: Job, step: Step) -> Iterator[Publication]:
    for line, tool, index, secret in [*_by_action(step, sources.hosts), *_by_command(job, step, sources.hosts)]:
        stored = any(".pypirc" in each.text for other in job.steps for each in other.run.scalars())
        verdict = partial(reaches, job, step)
        starts = tuple(admissible(occasions(job.workflow, sources.tag), verdict))
        callers = tuple(Caller(caller.job, tuple(admissible(caller.occasions, verdict)))
                        for caller in sources.callers(job.workflow))
        yield Publication(job, step, line, tool, index, secret, stored or tool not in OIDC, starts, callers)


def reaches(job: Job, step: Step, occasion: Occasion) -> bool | None:
    """Whether an occasion comes to a step of a job; None if in doubt."""
    return conjoined([runs(job, occasion), *(holds(each, occasion.known) for each in step.conditions)])


def _by_action(step: Step, hosts: Hosts) -> Iterator[tuple[int, str, str, int]]:
    """An upload by an action."""
    if step.uses(PYPA):
        url = step.inputs["repository-url"] or step.inputs["repository_url"]
        password = step.inputs["password"]
        yield (step.body["uses"].line, PYPA, which(url.text, hosts) if url.text else "pypi",
               step.inputs.at("password") if password.text else 0)
    elif step.uses(*MATURIN) and step.inputs["command"].word in ("upload", "publish"):
        secret = next((value.line for name, value in step.body["env"].map.items() if SECRET.match(name)), 0)
        yield step.body["uses"].line, "maturin-action", "pypi", secret


def _by_command(job: Job, step: Step, hosts: Hosts) -> Iterator[tuple[int, str, str, int]]:
    """Uploads by commands in a script."""
    variables = [(name, value, env.at(name)) for env in (job.workflow.body["env"], job.body["env"], step.body["env"])
                 for name, value in env.map.items()]
    stored = next((line for name, _, line in variables if SECRET.match(name)), 0)
    told = next((value.text for name, value, _ in reversed(variables) if name in PLACES), "")
    for number, line in step.run.lines:
        for tool, command in COMMANDS.items():
            match = re.search(rf"(?<![\w/.-]){command}\b(.*)", line)
            if match and not SPOKEN.search(line):
                given = GIVEN.search(match[1]) or SECRET.search(step.run.text)
                named = ADDRESS.search(match[1]) or NAMED.search(match[1])
                place = (named[1] if named else told).strip("\"'")
                yield number, tool, which(place, hosts) if place else "pypi", stored or (number if given else 0)


def which(place: str, hosts: Hosts) -> str:
    """The index that a name or an address means: "" where it is made from variables."""
    if "$" in place:
        return ""
    if "://" not in place:
        return {"pypi": "pypi", "testpypi": "testpypi", "test-pypi": "testpypi"}.get(place.lower(), "other")
    host = place.partition("://")[2].partition("/")[0].lower()
    return "testpypi" if host in hosts.testpypi else "pypi" if host in hosts.pypi else "other"
