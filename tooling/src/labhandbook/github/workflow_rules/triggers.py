"""Rules on what starts a publication: only the tag, and only once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from labhandbook.core.rules import WARNING, At
from labhandbook.core.yaml_reader import Value
from labhandbook.github.repository import DOCTOR, LIMITS, WORKFLOW, WORKFLOWS, Repository
from labhandbook.github.trigger_events import RELEASED, TAG, Trigger, tag_admitted, triggers
from labhandbook.github.upload_steps import Publication, reaches
from labhandbook.github.workflow_model import Job, Step, Workflow

# Actions that make a release, with the input that takes another token, and those that make a tag.
RELEASERS = {"softprops/action-gh-release": "token", "ncipollo/release-action": "token", "actions/create-release": "",
             "googleapis/release-please-action": "token", "google-github-actions/release-please-action": "token",
             "release-drafter/release-drafter": "token", "marvinpinto/action-automatic-releases": "repo_token",
             "python-semantic-release/python-semantic-release": "github_token"}
TAGGERS = {"mathieudutour/github-tag-action": "github_token", "anothrnick/github-tag-action": "token"}
DEFAULT = re.compile(r"\$\{\{\s*(github\.token|secrets\.github_token)\s*\}\}", re.IGNORECASE)
CREATES = re.compile(r"\bgh\s+release\s+create\b")
PUSHES = re.compile(r"\bgit\s+push\b.*(--tags\b|--follow-tags\b|refs/tags/)")
DISPATCHES = re.compile(r"\bgh\s+workflow\s+run\b|/dispatches\b")
SNAPSHOT = TAG + "a-branch-as-it-was-2026-07-22"


@WORKFLOWS.rule("GHA010", "The tag of a version starts the workflow that publishes",
      why="If the tag does not match a filter or condition, GitHub starts nothing and reports nothing.",
      fix="Make the pattern of on.push.tags and the conditions match the form of your tags. Put a pattern in "
          "quotes if it begins with [ or *.",
      section=WORKFLOW, source="slac-lcls/lcls2#118, peshay/tpm#44 and ckan/ckanext-xloader#231")
def started(repository: Repository) -> Iterator[At]:
    """A push of the tag that no filter admits, or on which no uploading job runs."""
    if any(each.of_tag for found in repository.publications for each in found.every):
        return
    for found in repository.publications:
        for workflow in {found.workflow.file: found.workflow,
                         **{caller.job.workflow.file: caller.job.workflow for caller in found.callers}}.values():
            filters = workflow.events.get("push", Value())
            names = f"the tag {repository.tag}{repository.tag_from}"
            if "tags" in filters.map or "tags-ignore" in filters.map:
                kind = "tags" if "tags" in filters.map else "tags-ignore"
                if not tag_admitted(filters, repository.tag):
                    yield At(f"no pattern admits {names}", workflow.file, filters.at(kind))
                    continue
            if any(each.of_tag for each in triggers(workflow, repository.tag)):
                condition = found.step.body["if"] or found.job.body["if"]
                yield At(f"{found.job.name} never runs on {names}", found.file,
                         condition.line if condition else found.line)


@WORKFLOWS.rule("GHA011", "A published release starts the workflow once",
      why="A draft that is published sends published, and not created. A release that is published at once sends "
          "created, published and released: the second upload finds the files of the first on the index.",
      fix="Write types: [published] under on.release.", section=WORKFLOW,
      source="linkml/linkml-map#281, PyO3/setuptools-rust#73 and browser-history/browser-history#148")
def once(repository: Repository) -> Iterator[At]:
    """`on: release` with created alone, or with more than one of the types that one release sends."""
    # Of several uploads in a workflow the one to PyPI decides, because it can't be taken back.
    released = sorted(filter(_released, repository.publications), key=lambda found: found.index != "testpypi")
    for found in {found.workflow.file: found for found in released}.values():
        actions, line = _released(found), found.workflow.event_line("release")
        if len(actions) > 1:
            yield At(f"one release starts {found.workflow.name} {len(actions)} times: {', '.join(sorted(actions))}",
                     found.workflow.file, line, WARNING if found.index == "testpypi" else None)
        elif actions == {"created"}:
            yield At(f"a release that is saved as a draft first never starts {found.workflow.name}",
                     found.workflow.file, line, WARNING)


def _released(found: Publication) -> set[str]:
    """The types of the events of one release on which an upload runs."""
    return {each.action for each in found.sure if each.event == "release"} & set(RELEASED)


@WORKFLOWS.rule("GHA012", "The tag or release that starts the workflow is not made with the default token",
      why="A release or tag made with the default token starts no workflow. Nothing is published, and nothing fails.",
      fix="Publish in the workflow that the tag starts, and make the release in its last job.", section=LIMITS,
      source="DagsHub/client#708, mahimailabs/voicegateway#30 and PowerGridModel/power-grid-model#965")
def own_token(repository: Repository) -> Iterator[At]:
    """Steps that make a release or tag with the default token, where nothing else starts a publication."""
    needed = {each.event for found in repository.publications for each in found.every
              if each.event in ("push", "release") and each.of_tag}
    if not needed or any(each.event == "push" and not each.of_tag for found in repository.publications
                         for each in found.every):
        return
    for workflow in repository.workflows.values():
        if any(DISPATCHES.search(step.run.text) for job in workflow.jobs.values() for step in job.steps):
            continue
        steps = [(job, step) for job in workflow.jobs.values() for step in repository.sources.steps(job.steps)]
        for job, step in steps:
            made, line = _makes(workflow, job, step)
            starts = {"release" if made == "release" else "push"}
            if made and needed <= starts and not _from_tag(workflow, job, step, repository.tag):
                yield At(f"{job.name} makes the {made} with the default token, which starts nothing", step.file, line)


def _makes(workflow: Workflow, job: Job, step: Step) -> tuple[str, int]:
    """What a step makes with the default token ("release", "tag" or nothing), and its line."""
    used = step.action
    if used and used.repository in RELEASERS | TAGGERS:
        given = step.inputs[(RELEASERS | TAGGERS)[used.repository] or "-"].text
        named = [value for env in (workflow.body["env"], job.body["env"], step.body["env"])
                 for name, value in env.map.items() if name in ("GITHUB_TOKEN", "GH_TOKEN")]
        own = DEFAULT.search(given) if given else all(DEFAULT.search(value.text) for value in named)
        if own and step.inputs["draft"].word != "true":
            return ("release" if used.repository in RELEASERS else "tag"), step.body["uses"].line
    for number, line in step.run.lines:
        if CREATES.search(line) and "--draft" not in line and _default_token(workflow, job, step):
            return "release", number
        if PUSHES.search(line) and _checked_out_plainly(job):
            return "tag", number
    return "", 0


def _default_token(workflow: Workflow, job: Job, step: Step) -> bool:
    """Whether gh gets the default token."""
    for env in (step.body["env"], job.body["env"], workflow.body["env"]):
        for name in ("GH_TOKEN", "GITHUB_TOKEN"):
            if name in env.map:
                return bool(DEFAULT.search(env[name].text))
    return False


def _checked_out_plainly(job: Job) -> bool:
    """Whether git pushes with the default token, as it does after a checkout without another."""
    found = [step for step in job.steps if step.uses("actions/checkout")]
    return bool(found) and all(not {"token", "ssh-key"} & step.inputs.map.keys()
                               and step.inputs["persist-credentials"].word != "false" for step in found)


def _from_tag(workflow: Workflow, job: Job, step: Step, tag: str) -> bool:
    """Whether a step runs only after the tag was pushed, so that its release starts nothing that is needed."""
    starts = [each for each in triggers(workflow, tag) if reaches(job, step, each) is not False]
    return bool(starts) and all(each.of_tag for each in starts)


@WORKFLOWS.rule("GHA013", "A pull request does not publish",
      why="GitHub gives pull requests from forks no identity, and PyPI refuses pull_request_target. A pull request "
          "from a branch would publish code that nobody has reviewed.",
      fix="Give the job that uploads the condition startsWith(github.ref, 'refs/tags/'), or a workflow of its own.",
      section=WORKFLOW, source="tahoe-lafs/zfec#133 and wilhelm-lab/koina#216")
def no_pull_request(repository: Repository) -> Iterator[At]:
    """Uploads that run on pull_request or pull_request_target whatever the run decides."""
    for found in repository.publications:
        for each in found.sure:
            if each.event in ("pull_request", "pull_request_target"):
                yield At(f"{found.job.name} uploads on {each.event}", found.file, found.line)


@WORKFLOWS.rule("GHA014", "A push to a branch does not publish to PyPI",
      why="Otherwise every push uploads: PyPI refuses files that it has, and local versions between two tags.",
      fix="Let on.push.tags start the workflow, or give the job the condition startsWith(github.ref, 'refs/tags/').",
      section=WORKFLOW, severity=WARNING,
      source="Boulder-Investment-Technologies/lppls#124 and pypa/gh-action-pypi-publish#282")
def no_branch(repository: Repository) -> Iterator[At]:
    """Uploads to PyPI that run on the push of a branch whatever the run decides."""
    for found in repository.publications:
        if found.index == "pypi" and any(each.event == "push" and each.of_branch for each in found.sure):
            yield At(f"{found.job.name} uploads on every push to a branch", found.file, found.line)


@WORKFLOWS.rule("GHA015", "Only a tag that names a version publishes",
      why="A tool that reads the version from the tag finds a number in almost any tag: the tag of a snapshot "
          "became version 22, which is higher than every real version.",
      fix="Write on.push.tags with a pattern such as v*, or give the PyPI environment a rule for tags.",
      section=WORKFLOW, severity=WARNING, source="OpenSourceEconomics/pylcm#410")
def only_versions(repository: Repository) -> Iterator[At]:
    """Uploads without an environment that any tag would start, where the version comes from the tag."""
    for found in repository.publications:
        if not repository.from_git or found.index != "pypi" or found.job.environment:
            continue
        sources = replace(repository.sources, tag=SNAPSHOT.removeprefix(TAG))
        starts: list[Trigger] = [*triggers(found.workflow, sources.tag),
                                  *(each for caller in sources.callers(found.workflow) for each in caller.triggers)]
        if any(each.event == "push" and each.of_tag and reaches(found.job, found.step, each) for each in starts):
            yield At(f"any tag makes {found.job.name} upload", found.file, found.workflow.event_line("push"))


@WORKFLOWS.rule("GHA016", "The workflow that publishes is committed",
      why="GitHub runs the workflow of the tagged commit, not the file in your folder.",
      fix="Commit and push it, then tag.", section=DOCTOR, source="Kozea/Radicale#1493")
def committed(repository: Repository) -> Iterator[At]:
    """Workflow files that git doesn't track, or that differ from the commit."""
    for workflow in repository.publishing:
        if workflow.file in repository.loose:
            yield At(f"{workflow.name} is not in git", workflow.file)
        elif workflow.file in repository.changed:
            yield At(f"{workflow.name} differs from the last commit", workflow.file, severity=WARNING)
