"""Rules on tags and releases that a workflow makes: which token makes them, and from which ref."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.github.expressions import Begins
from labhandbook.github.repository import LIMITS, WORKFLOW, WORKFLOWS, Repository
from labhandbook.github.trigger_events import BRANCH, Trigger, triggers
from labhandbook.github.upload_steps import reaches
from labhandbook.github.workflow_model import Job, Step, Workflow

PSR = "python-semantic-release/python-semantic-release"
# Actions that make a release, with the input that takes another token, and those that make a tag.
RELEASERS = {"softprops/action-gh-release": "token", "ncipollo/release-action": "token", "actions/create-release": "",
             "googleapis/release-please-action": "token", "google-github-actions/release-please-action": "token",
             "release-drafter/release-drafter": "token", "marvinpinto/action-automatic-releases": "repo_token",
             PSR: "github_token"}
TAGGERS = {"mathieudutour/github-tag-action": "github_token", "anothrnick/github-tag-action": "token"}
# Inputs with which such an action makes none, or only a draft.
MAKES_NONE = (("draft", ("", "false")), ("skip-github-release", ("", "false")), ("no_operation_mode", ("", "false")),
              ("vcs_release", ("", "true")), ("push", ("", "true")))
NAMES = ("tag_name", "tag", "automatic_release_tag", "tagName")
DEFAULT = re.compile(r"\$\{\{\s*(github\.token|secrets\.github_token)\s*\}\}", re.IGNORECASE)
CREATES = re.compile(r"\bgh\s+release\s+create\b\s*(?P<tag>[^\s-]\S*)?")
PUSHES = re.compile(r"\bgit\s+push\b.*(--tags\b|--follow-tags\b|refs/tags/"
                    r"|\s\S*(\bv\d|\$\{?\w*(tag|version|release)\w*|\$\{\{[^}]*(tag|version)))", re.IGNORECASE)
SEMANTIC = re.compile(r"\bsemantic-release\s+(?:-\S+\s+)*(version|publish)\b(?!.*--(no-push|print|noop))")
DISPATCHES = re.compile(r"\bgh\s+workflow\s+run\b|/dispatches\b")
# The ref of the run, in an expression and as a variable.
REF = re.compile(r"github\.ref(_name)?\b|\bGITHUB_REF(_NAME)?\b")


@WORKFLOWS.rule("GHA012", "The tag or release that starts the workflow is not made with the default token",
      why="A release or tag made with the default token starts no workflow. Nothing is published, and nothing fails.",
      fix="Publish in the workflow that the tag starts, and make the release in its last job.", section=LIMITS,
      source="DagsHub/client#708, mahimailabs/voicegateway#30 and PowerGridModel/power-grid-model#965")
def own_token(repository: Repository) -> Iterator[At]:
    """Steps that make a release or tag with the default token, where nothing else starts a publication."""
    uploads = [found for found in repository.publications if found.index != "testpypi"] or repository.publications
    starts = [each for found in uploads for each in found.every
              if each.event not in ("workflow_dispatch", "pull_request", "pull_request_target")]
    if not starts or not all(each.of_tag and each.event in ("push", "release") for each in starts):
        return
    needed = {each.event for each in starts}
    for workflow in repository.workflows.values():
        if any(DISPATCHES.search(step.run.text) for job in workflow.jobs.values() for step in job.steps):
            continue
        for job in workflow.jobs.values():
            # What is made after the upload starts nothing that is needed.
            if any(found.job is each for found in uploads for each in (job, *job.before)):
                continue
            for step in repository.sources.steps(job.steps):
                made, tag, line = _makes(workflow, job, step)
                if made and needed <= made and _of_version(repository, tag) \
                        and not _from_tag(repository, workflow, job, step):
                    what = "release" if "release" in made else "tag"
                    yield At(f"{job.name} makes the {what} with the default token, which starts nothing", step.file,
                             line)


def _makes(workflow: Workflow, job: Job, step: Step) -> tuple[set[str], str, int]:
    """The events that a step would cause with another token than the default one, the tag, and the line.

    A release makes its tag where there is none.
    """
    used = step.action
    if used and used.repository in RELEASERS | TAGGERS and makes(step):
        given = step.inputs[(RELEASERS | TAGGERS)[used.repository] or "-"].text
        named = [value for env in (workflow.body["env"], job.body["env"], step.body["env"])
                 for name, value in env.map.items() if name in ("GITHUB_TOKEN", "GH_TOKEN")]
        if DEFAULT.search(given) if given else all(DEFAULT.search(value.text) for value in named):
            tag = next((step.inputs[name].text for name in NAMES if step.inputs[name].text), "")
            return ({"release", "push"} if used.repository in RELEASERS else {"push"}), tag, step.body["uses"].line
    for number, line in step.run.lines:
        token = _default_token(workflow, job, step)
        if (match := CREATES.search(line)) and "--draft" not in line and token:
            return {"release"} | (set() if "--verify-tag" in line else {"push"}), match["tag"] or "", number
        if SEMANTIC.search(line) and (token or (token is None and _checked_out_plainly(job))):
            return {"release", "push"}, "", number
        if PUSHES.search(line) and _checked_out_plainly(job):
            return {"push"}, "", number
    return set(), "", 0


def makes(step: Step) -> bool:
    """Whether the action of a step makes a release or a tag, and not a draft or nothing."""
    used = step.action
    if used and used.repository == "release-drafter/release-drafter":
        return step.inputs["publish"].word == "true"
    return all(step.inputs[name].word in usual for name, usual in MAKES_NONE)


def _of_version(repository: Repository, tag: str) -> bool:
    """Whether a tag may be that of a version: what is written down of it begins like one, and is not a whole name."""
    tag = tag.strip("\"'")
    written = re.split(r"[$`]", tag)[0]
    if written == tag and tag:
        return bool(re.search(r"\d\.\d", tag))
    return not written or any(known.startswith(written) for known in repository.sources.tags)


def _default_token(workflow: Workflow, job: Job, step: Step) -> bool | None:
    """Whether gh gets the default token; None without any."""
    for env in (step.body["env"], job.body["env"], workflow.body["env"]):
        for name in ("GH_TOKEN", "GITHUB_TOKEN"):
            if name in env.map:
                return bool(DEFAULT.search(env[name].text))
    return None


def _checked_out_plainly(job: Job) -> bool:
    """Whether git pushes with the default token, as it does after a checkout without another."""
    found = [step for step in job.steps if step.uses("actions/checkout")]
    return bool(found) and all(
        "ssh-key" not in step.inputs.map and step.inputs["persist-credentials"].word != "false"
        and (not step.inputs["token"].text or DEFAULT.search(step.inputs["token"].text)) for step in found)


def _from_tag(repository: Repository, workflow: Workflow, job: Job, step: Step) -> bool:
    """Whether a step runs only after the tag was pushed, so that its release starts nothing that is needed."""
    starts = [each for each in triggers(workflow, repository.sources.tag(workflow))
              if each.event != "workflow_dispatch" and reaches(job, step, each) is not False]
    return bool(starts) and all(each.of_tag for each in starts)


@WORKFLOWS.rule("GHA017", "A run by hand on a branch does not take the branch for a tag",
      why="Started by hand, a workflow runs on the branch that is chosen. A release named after the ref is then "
          "called main, and its tag as well.",
      fix="Give the job the condition startsWith(github.ref, 'refs/tags/'), or ask for the tag as an input.",
      section=WORKFLOW, severity=WARNING, source="hyperledger-indy/indy-vdr#348 and shakenfist/shakenfist#4073")
def not_a_branch(repository: Repository) -> Iterator[At]:
    """Steps of a publishing workflow that make a release named after the ref, on workflow_dispatch from a branch."""
    for workflow in repository.publishing:
        if "workflow_dispatch" not in workflow.events:
            continue
        by_hand = Trigger("workflow_dispatch", "", Begins(BRANCH))
        for job in workflow.jobs.values():
            for step in repository.sources.steps(job.steps):
                line = _named_by_ref(workflow, job, step)
                if line and reaches(job, step, by_hand):
                    yield At(f"{job.name} names the release after the ref, which is a branch when run by hand",
                             step.file, line)


def _named_by_ref(workflow: Workflow, job: Job, step: Step) -> int:
    """The line on which a step makes a release whose tag is the ref of the run; 0 where it makes none."""
    if step.action and step.action.repository in RELEASERS:
        given = next((step.inputs[name] for name in NAMES if step.inputs[name].text), None)
        return given.line if given and REF.search(given.text) else 0
    named = {name: value.text for env in (workflow.body["env"], job.body["env"], step.body["env"])
             for name, value in env.map.items()}
    for number, line in step.run.lines:
        match = CREATES.search(line)
        if match and "--verify-tag" not in line:
            tag = re.sub(r"\$\{?(\w+)\}?", lambda name: named.get(name[1], name[0]),
                         line[match.start("tag"):] if match["tag"] else "")
            if REF.search(tag.split(" --")[0]):
                return number
    return 0
