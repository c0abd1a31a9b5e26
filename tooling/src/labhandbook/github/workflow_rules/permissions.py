"""Rules on what the token of a job may do, and on which machine the job runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import At
from labhandbook.github.repository import WORKFLOW, WORKFLOWS, Repository
from labhandbook.github.upload_steps import PYPA, Publication
from labhandbook.github.workflow_model import Job, Step
from labhandbook.github.workflow_rules.releases import DEFAULT, RELEASERS, makes

MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
RELEASES = re.compile(r"\bgh\s+release\s+(create|upload|edit|delete)\b")


@WORKFLOWS.rule("GHA020", "The job that uploads has the permission id-token: write",
      why="Without this permission GitHub gives the job no identity, and trusted publishing fails.",
      fix="Write id-token: write under the permissions of that job; a calling job must grant this permission too.",
      section=WORKFLOW, source="uber/causalml#928, eventlet/eventlet#855 and sandialabs/reverse_argparse#316")
def identity(repository: Repository) -> Iterator[At]:
    """Uploads by trusted publishing without the permission. https://docs.github.com/actions/reference/security/oidc"""
    for found in repository.by_identity:
        if not found.job.permits("id-token"):
            yield At(f"{found.job.name} lacks id-token: write", found.file, _line(found.job))
        for caller in found.callers:
            if found.job.permits("id-token") and caller.triggers and not caller.job.permits("id-token"):
                yield At(f"{caller.job.name} calls {found.workflow.name} without granting id-token: write",
                         caller.job.workflow.file, _line(caller.job))


@WORKFLOWS.rule("GHA021", "A job that checks out the repository has the permission contents: read",
      why="If a job lists its permissions, GitHub denies all others. The job then can't fetch a private repository; "
          "anyone can fetch a public one.",
      fix="Write contents: read under the permissions of that job.",
      section=WORKFLOW, asks="GitHub",
      source="PrefectHQ/prefect-mcp-server#73, astral-sh/trusted-publishing-examples#1 and Azure/login#169")
def may_read(repository: Repository) -> Iterator[At]:
    """actions/checkout without the permission, unless GitHub says that the repository is public."""
    for workflow in repository.publishing if repository.github.private else []:
        for job in workflow.jobs.values():
            for step in job.steps:
                if step.uses("actions/checkout") and "token" not in step.inputs.map and job.restricted \
                        and not job.permits("contents", "read"):
                    yield At(f"{job.name} can't check out a private repository", workflow.file, step.line)


@WORKFLOWS.rule("GHA022", "A job that makes the GitHub release has the permission contents: write",
      why="Otherwise GitHub answers 403, Resource not accessible by integration, after the package was published.",
      fix="Write contents: write under the permissions of that job alone.",
      section=WORKFLOW, source="nvdaaddons/AddonTemplate#55, google/osdfir-infrastructure#189 and bitnami/gonit#81")
def may_release(repository: Repository) -> Iterator[At]:
    """gh release and release actions in a job whose permissions lack contents: write."""
    for workflow in repository.publishing:
        for job in workflow.jobs.values():
            for step in repository.sources.steps(job.steps):
                line = _releases(step)
                if line and job.restricted and not job.permits("contents"):
                    yield At(f"{job.name} makes a release and lacks contents: write", step.file, line)


def _releases(step: Step) -> int:
    """The line on which a step makes or changes a release with the job's own token; 0 when it does neither."""
    if step.action and step.action.repository in RELEASERS:
        other = step.inputs[RELEASERS[step.action.repository] or "-"].text
        return step.body["uses"].line if makes(step) and (not other or DEFAULT.search(other)) else 0
    env = step.body["env"].map
    given = next((env[name].text for name in ("GH_TOKEN", "GITHUB_TOKEN") if name in env), "")
    own = re.search(r"\b(github\.token|secrets\.GITHUB_TOKEN)\b", given, re.IGNORECASE)
    return next((number for number, text in step.run.lines if own and RELEASES.search(text)), 0)


@WORKFLOWS.rule("GHA023", "The job that uses pypa/gh-action-pypi-publish runs on Linux",
      why="The action is a container, and only Linux runners can start containers.",
      fix="Build on every system, keep the files with actions/upload-artifact, and upload them all from one job on "
           "ubuntu-latest.",
      section=WORKFLOW,
      source="pypa/gh-action-pypi-publish#54, pypa/gh-action-pypi-publish#26 and "
             "loonghao/photoshop-python-api-mcp-server#7")
def on_linux(repository: Repository) -> Iterator[At]:
    """gh-action-pypi-publish on Windows or macOS."""
    for found in repository.publications:
        conditions = f"{found.step.body['if'].text} {found.job.body['if'].text}"
        other = [name for name in _systems(found) if re.match(r"(windows|macos)", name, re.IGNORECASE)]
        if found.tool == PYPA and other and not re.search(r"\b(runner|matrix)\.", conditions):
            yield At(f"{found.job.name} runs on {other[0]}", found.file, found.job.body["runs-on"].line)


def _systems(found: Publication) -> list[str]:
    """The labels of the machines that a job runs on, those of its matrix included."""
    runs_on = found.job.body["runs-on"]
    matrix = MATRIX.fullmatch(runs_on.text)
    if not matrix:
        return [value.text for value in runs_on.words]
    table = found.job.body["strategy"]["matrix"]
    return [*(value.text for value in table[matrix[1]].words),
            *(item[matrix[1]].text for item in table["include"].items)]


@WORKFLOWS.rule("GHA024", "A job that calls a workflow grants what the called jobs ask for",
      why="GitHub starts nothing when a called job asks for more. The message says that the nested job is "
          "requesting a permission, but is only allowed less.",
      fix="Write the same permissions under the calling job.",
      section=WORKFLOW,
      source="openwallet-foundation/acapy#3682, anchore/grype#3486 and generoi/github-action-update-plugins#4")
def granted(repository: Repository) -> Iterator[At]:
    """Calls within the repository that grant less than a called job's permissions, id-token of uploads aside."""
    uploading = [found.job for found in repository.by_identity]
    for workflow in repository.publishing:
        for job in workflow.jobs.values():
            called = repository.sources.called(job)
            for inner in called.jobs.values() if called and job.restricted else []:
                lacking = [f"{scope}: {level}" for scope, level in _asked(inner)
                           if not job.permits(scope, level) and not (
                               scope == "id-token" and any(inner is each for each in uploading))]
                if lacking:
                    yield At(f"{job.name} grants less than {inner.name} of {inner.workflow.name} asks for: "
                             f"{', '.join(lacking)}", workflow.file, _line(job))


def _asked(job: Job) -> list[tuple[str, str]]:
    """The permissions that a job of a called workflow asks for."""
    return [(scope, value.word) for scope, value in job.permissions.map.items() if value.word in ("read", "write")]


def _line(job: Job) -> int:
    """The line of a job's own permissions, else its name's."""
    return job.body.at("permissions") if "permissions" in job.body.map else job.line
