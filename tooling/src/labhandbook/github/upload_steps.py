"""Where workflows upload to a package index: the step, its tool, the index, and how it proves its identity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import urlsplit

from labhandbook.core.errors import HandbookError
from labhandbook.core.yaml_reader import Value
from labhandbook.github.expressions import holds
from labhandbook.github.trigger_events import Trigger, admissible, conjoined, runs, tag_admitted, triggers
from labhandbook.github.workflow_model import FOLDER, Job, Step, Workflow, action
from labhandbook.package import index_addresses

PYPA = "pypa/gh-action-pypi-publish"
MATURIN = ("pyo3/maturin-action", "messense/maturin-action")
# This handbook's own action, also where a workflow of its repository uses it.
OWN = re.compile(r"(?:acerbilab/handbook|\$)/\.github/actions/publish(?:@|$)")
DEPLOY, POETRY, RELEASER = "casperdcl/deploy-pypi", "jrubics/poetry-publish", "jupyter-server/jupyter_releaser"
# The commands that upload.
COMMANDS = {
    "twine": r"twine\s+upload", "uv": r"uv\s+publish", "pdm": r"pdm\s+publish",
    "handbook": r"handbook\s+release\s+publish", "maturin": r"maturin\s+(?:upload|publish)",
    "flit": r"flit\s+publish", "poetry": r"poetry\s+publish", "hatch": r"hatch\s+publish",
    "setup.py": r"setup\.py\s.*\bupload",
}
# Tools that support trusted publishing themselves.
OIDC = {PYPA, DEPLOY, RELEASER, "maturin-action", "twine", "uv", "pdm", "handbook", "maturin"}
SPOKEN = re.compile(r"^\s*(#|echo\b|printf\b)|--dry-run|--help")
# Variables and options that carry a password or a token, and commands that store one.
SECRET = re.compile(r"(TWINE|UV_PUBLISH|MATURIN|PDM_PUBLISH|FLIT|POETRY|HATCH_INDEX)\w*(PASSWORD|TOKEN|AUTH)")
GIVEN = re.compile(r"\s(--password|--token|-p)[ =]")
STORED = re.compile(r"config\s+(?:-\S+\s+)*(pypi-token|http-basic)|" + SECRET.pattern)
# A token that an earlier step made, often in exchange for the identity.
MADE = re.compile(r"\bsteps\.|mint-token|ACTIONS_ID_TOKEN_REQUEST")
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
    """The workflows of a repository by file, its composite actions by folder, and its own name on GitHub.

    `tags` are tags that the next versions may have, the likeliest first: a repository can have several forms.
    """

    workflows: Mapping[str, Workflow]
    composites: Mapping[str, tuple[str, Value]] = field(default_factory=dict)
    slug: str = ""
    tags: tuple[str, ...] = ("v1.2.3",)

    def tag(self, workflow: Workflow) -> str:
        """The tag of a version that starts a workflow; the likeliest one where its filters admit none."""
        push = workflow.events.get("push", Value())
        return next((tag for tag in self.tags if tag_admitted(push, tag)), self.tags[0])

    def steps(self, steps: Sequence[Step], depth: int = 5) -> Iterator[Step]:
        """Steps with those of local composite actions in their places."""
        for step in steps:
            yield step
            uses = step.body["uses"].text
            folder = uses[2:].rstrip("/")
            if depth and uses.startswith(("./", "$/")) and folder in self.composites and not OWN.match(uses):
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
                    starts = [*triggers(other, self.tag(other)),
                              *(each for caller in self.callers(other, depth - 1) for each in caller.triggers)]
                    found.append(Caller(job, tuple(admissible(starts, partial(runs, job)))))
        return found


def publications(sources: Sources) -> list[Publication]:
    """Every upload of a repository's workflows."""
    return [found for workflow in sources.workflows.values() for job in workflow.jobs.values()
            for step in sources.steps(job.steps) for found in _of_step(sources, job, step)]


def _of_step(sources: Sources, job: Job, step: Step) -> Iterator[Publication]:
    for line, tool, index, secret, made in [*_by_action(step), *_by_command(job, step)]:
        if tool == DEPLOY:
            step = replace(step, outer=(*step.outer, step.inputs["upload"].text))
        stored = any(".pypirc" in each.text for other in job.steps for each in other.run.scalars())
        verdict = partial(reaches, job, step)
        starts = tuple(admissible(triggers(job.workflow, sources.tag(job.workflow)), verdict))
        callers = tuple(Caller(caller.job, tuple(admissible(caller.triggers, verdict)))
                        for caller in sources.callers(job.workflow))
        yield Publication(job, step, line, tool, index, 0 if made else secret, made or stored or tool not in OIDC,
                          starts, callers)


def reaches(job: Job, step: Step, trigger: Trigger) -> bool | None:
    """Whether a step of a job runs on a trigger; None if in doubt."""
    return conjoined([runs(job, trigger), *(holds(each, trigger.known) for each in step.conditions)])


def _by_action(step: Step) -> Iterator[tuple[int, str, str, int, bool]]:
    """An upload by an action: line, tool, index, the line of its token, and whether a step made that token."""
    line, inputs, used = step.body["uses"].line, step.inputs, step.action
    if OWN.match(step.body["uses"].text):
        yield line, "handbook", which(inputs["index"].text), 0, False
    elif step.uses(PYPA):
        url = inputs["repository-url"] or inputs["repository_url"]
        yield line, PYPA, which(url.text), *_given(inputs, "password")
    elif step.uses(DEPLOY) and inputs["upload"].word != "false":
        yield line, DEPLOY, which(inputs["url"].text), *_given(inputs, "password")
    elif step.uses(POETRY):
        place = inputs["repository_url"] or inputs["repository_name"]
        yield line, POETRY, which(place.text), *_given(inputs, "pypi_token", "repository_password")
    elif used and used.repository == RELEASER and used.path.endswith(("finalize-release", "publish-release")):
        yield line, RELEASER, "pypi", *_given(step.body["env"], "PYPI_TOKEN", "TWINE_PASSWORD")
    elif step.uses(*MATURIN) and inputs["command"].word in ("upload", "publish"):
        env = step.body["env"]
        yield line, "maturin-action", "pypi", *_given(env, *filter(SECRET.match, env.map))


def _given(values: Value, *names: str) -> tuple[int, bool]:
    """The line of the first of these values that is there, 0 without one; and whether a step made it."""
    for name in names:
        if values[name].text:
            return values.at(name), bool(MADE.search(values[name].text))
    return 0, False


def _by_command(job: Job, step: Step) -> Iterator[tuple[int, str, str, int, bool]]:
    """Uploads by commands in a script."""
    envs = (job.workflow.body["env"], job.body["env"], step.body["env"])
    variables = [(name, value) for env in envs for name, value in env.map.items()]
    stored = next((given for env in envs if (given := _given(env, *filter(SECRET.match, env.map)))[0]), (0, False))
    place = next((value.text for name, value in reversed(variables) if name in PLACES), "")
    text = "\n".join(other.run.text for other in job.steps)
    for number, line in step.run.lines:
        for tool, command in COMMANDS.items():
            match = re.search(rf"(?<![\w/.-]){command}\b(.*)", line)
            if match and not SPOKEN.search(line):
                typed = GIVEN.search(match[1]) or STORED.search(text)
                named = ADDRESS.search(match[1]) or NAMED.search(match[1])
                made = stored[1] or bool(not stored[0] and typed and MADE.search(text))
                yield number, tool, which(named[1] if named else place), stored[0] or (number if typed else 0), made


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
