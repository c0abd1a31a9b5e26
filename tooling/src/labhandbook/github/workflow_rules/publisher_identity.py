"""Rules on who publishes: workflow, environment and repository must be those that the indexes trust."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import UNVERIFIED, WARNING, At
from labhandbook.core.wording import listed
from labhandbook.github.repository import DOCTOR, LIMITS, SETUP, WORKFLOWS, Repository
from labhandbook.github.trigger_events import admitted
from labhandbook.github.upload_steps import PYPA, Publication
from labhandbook.github.workflow_model import FOLDER, action
from labhandbook.package.project import PYPROJECT

NAMES = {"pypi": "PyPI", "testpypi": "TestPyPI", "": "the index"}


@WORKFLOWS.rule("GHA001", "Every workflow file can be read",
      why="GitHub starts nothing from a workflow that it can't read, so a tag has no effect and no error.",
      fix="Correct the line; actionlint says more.", section=DOCTOR,
      source="PolicyEngine/policyengine-core#469, atomec-project/atoMEC#121 and LeBonhommePharma/FlexAIDdS#315")
def readable(repository: Repository) -> Iterator[At]:
    """Files that aren't YAML, or lack `on:` or `jobs:`, so that no other rule can look at them.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
    """
    for file, line, what in repository.unreadable:
        yield At(f"the workflow {what}", file, line)


@WORKFLOWS.rule("GHA002", "A workflow uploads to a package index",
      why="Without an upload there is nothing to examine. An upload in a script or in a workflow of another "
          "repository is not found.",
      fix="Write a workflow with handbook release init, or read the script or the other workflow yourself.",
      section=DOCTOR, severity=UNVERIFIED)
def publishes(repository: Repository) -> Iterator[At]:
    """No upload in sight, or a job that gives its identity to a workflow of another repository."""
    foreign = [(workflow, job) for workflow in repository.workflows.values() for job in workflow.jobs.values()
               if job.permits("id-token") and action(job.calls) and repository.sources.called(job) is None]
    for workflow, job in foreign:
        yield At(f"{job.name} gives its identity to {job.calls.text}, which can't be read from here",
                 workflow.file, job.calls.line)
    if not repository.every and not foreign:
        yield At(f"no workflow in {FOLDER} uploads to an index, as far as the doctor can see", FOLDER)


@WORKFLOWS.rule("GHA003", "The workflow that publishes is the one that is registered on the index",
      why="The index accepts uploads from one workflow file of one repository. After the file is renamed, the index "
          "refuses the next upload with invalid-publisher.",
      fix="Register the new file name on the index, or give the file its old name. Record the registered name in "
          "[tool.handbook.release.publisher].",
      section=SETUP, source="dennisvang/tufup#176 and lightly-ai/lightly-studio#2230")
def registered(repository: Repository) -> Iterator[At]:
    """Another file than the recorded one, or than the one at the last tag; without a record, the fields of the form.

    warehouse compares repository, owner, workflow file and environment: `lookup_by_claims` in
    warehouse/oidc/models/github.py.
    """
    record = repository.publisher
    if record and record.repository and repository.slug and record.repository.lower() != repository.slug.lower():
        yield At(f"{record.repository} is registered, and the remote is {repository.slug}", PYPROJECT, record.line,
                 fix=f"Register {repository.slug} on the index and correct the record, or correct the remote.")
    names = sorted({found.workflow.name for found in repository.by_identity})
    if record and record.workflow:
        if names and record.workflow not in names:
            yield At(f"{record.workflow} is registered, and {listed(names)} publishes", PYPROJECT, record.line)
        for found in repository.by_identity:
            trial = found.index == "testpypi" and re.fullmatch(r"dev(-.+)?\.yml", found.workflow.name)
            if found.workflow.name != record.workflow and record.workflow in names and not trial:
                yield At(f"{record.workflow} is registered, and {found.workflow.name} publishes too", found.file,
                         found.line, fix=f"Remove the upload, or register {found.workflow.name} on the index.")
        return
    earlier = repository.earlier
    if earlier and names and not {file for file, _ in earlier.publishers} & set(names) and earlier.publishers:
        was = listed(sorted({file for file, _ in earlier.publishers}))
        for found in repository.by_identity:
            yield At(f"{found.workflow.name} publishes, and at {earlier.tag} it was {was}: the form must name the "
                     "new file", found.file, found.line, WARNING)
    wanted = forms(repository)
    if wanted and not record:
        indexes = {NAMES[found.index] for found in wanted.values()}
        owner, _, name = repository.slug.partition("/")
        of = f"owner {owner or 'OWNER'}, repository {name or 'NAME'}, "
        asks = "the form must say" if len(wanted) == 1 else "the forms must say"
        found = next(reversed(wanted.values()))
        yield At(f"no one can look up the publisher that is registered on {listed(sorted(indexes))}; "
                 f"{asks} {of}{' and '.join(wanted)}",
                 found.file, found.line, UNVERIFIED,
                 fix="Compare the form, then record its fields in [tool.handbook.release.publisher].")


def forms(repository: Repository) -> dict[str, Publication]:
    """What the trusted-publisher forms must say of workflow and environment, with the first upload that needs it."""
    found: dict[str, Publication] = {}
    several = len({each.index for each in repository.by_identity}) > 1
    for each in sorted(repository.by_identity, key=lambda each: each.index == "pypi"):
        place = f" on {NAMES[each.index]}" if several else ""
        name = each.job.environment.text or "(empty)"
        found.setdefault(f"workflow {each.workflow.name}, environment {name}{place}", each)
    return found


@WORKFLOWS.rule("GHA004", "The job that uploads runs in the environment that is registered on the index",
      why="If the form names an environment, the index refuses uploads from all others with invalid-publisher.",
      fix="Give the job exactly the environment of the form, or change the form. Record the environment under "
          "environments in [tool.handbook.release.publisher].",
      section=SETUP,
      source="aiokitchen/hasql#34, INCATools/ontology-access-kit#873 and pypa/gh-action-pypi-publish#334")
def environment(repository: Repository) -> Iterator[At]:
    """Another environment than the recorded one, or than at the last tag.

    A form without an environment admits every environment, and case is ignored: `_check_environment` in
    warehouse/oidc/models/github.py.
    """
    known = repository.publisher.environments if repository.publisher else {}
    for found in repository.by_identity:
        wanted, given = known.get(found.index, ""), found.job.environment
        place = found.file, given.line if given else found.job.line
        if wanted and "$" in given.text:
            yield At(f"{wanted} is registered on {NAMES[found.index]}; only a run decides the value of {given.text}",
                     *place, UNVERIFIED)
        elif wanted and given.text.lower() != wanted.lower():
            yield At(f"{wanted} is registered on {NAMES[found.index]}, and {found.job.name} runs in "
                     f"{given.text or 'no environment'}", *place)
    earlier = None if known else repository.earlier
    for found in repository.by_identity if earlier else []:
        assert earlier
        was = {name for file, name in earlier.publishers if file == found.workflow.name}
        now = found.job.environment.text
        if any(was) and now.lower() not in {name.lower() for name in was} and "$" not in now:
            yield At(f"{found.job.name} runs in {now or 'no environment'}, and at {earlier.tag} it was "
                     f"{listed(sorted(filter(None, was)))}: the form must name the new one", found.file,
                     found.job.environment.line if now else found.job.line, WARNING)


@WORKFLOWS.rule("GHA005", "A job that uploads to PyPI has an environment",
      why="Without an environment every run of that workflow file may publish, and nobody has to approve.",
      fix="Write environment: pypi into the job (testpypi for TestPyPI), make the environment on GitHub with "
          "reviewers, and name it in the form.",
      section=SETUP, severity=WARNING, source="scikit-learn/scikit-learn#28445 and AFM-SPM/TopoStats#781")
def guarded(repository: Repository) -> Iterator[At]:
    """Uploads by trusted publishing to PyPI from a job without an environment."""
    for found in repository.by_identity:
        if not found.job.environment and found.index == "pypi":
            yield At(f"{found.job.name} publishes without an environment", found.file, found.job.line)


@WORKFLOWS.rule("GHA006", "The environment for PyPI requires an approval",
      why="GitHub makes a missing environment at the first run, without a rule. The upload, which can't be undone, "
          "then happens without an approval.",
      fix="Make the environment on GitHub under Settings, Environments, and give it required reviewers.",
      section=SETUP, severity=WARNING, source="KCNyu/clawock#810 and anthony-chaudhary/dos-kernel#2", asks="GitHub")
def requires_approval(repository: Repository) -> Iterator[At]:
    """Environments that GitHub does not have, or without reviewers.

    https://docs.github.com/rest/deployments/environments
    """
    asked = _environments(repository, "pypi")
    if repository.github.problem and asked:
        names = listed([name for name, _ in asked])
        yield At(f"{repository.github.problem}, so approvals in {names} could not be checked", asked[0][1].file,
                 asked[0][1].job.environment.line, UNVERIFIED,
                 fix="Ask again with the network, and with GITHUB_TOKEN for a private repository.")
    for name, found in [] if repository.github.problem else asked:
        place = found.file, found.job.environment.line
        known = repository.github.environment(name)
        if known is None:
            yield At(f"the environment {name} does not exist yet", *place)
        elif not known.asks:
            yield At(f"the environment {name} requires no approval", *place)


@WORKFLOWS.rule("GHA007", "The environment admits the tag",
      why="If an environment admits branches only, GitHub refuses a job on a tag before its first step.",
      fix="On GitHub add a rule for tags, such as v*, to the environment's deployment branches and tags.",
      section=SETUP, source="zarr-developers/pydantic-zarr#159 and amd/gaia#2935", asks="GitHub")
def admits_tag(repository: Repository) -> Iterator[At]:
    """Deployment policies without a pattern for the tag. GHA006 says whether GitHub answers."""
    for name, found in [*_environments(repository, "pypi"), *_environments(repository, "testpypi")]:
        known = repository.github.environment(name)
        if known is None or known.admits is None or not any(each.of_tag for each in found.every):
            continue
        tag = repository.sources.tag(found.workflow)
        if not admitted([pattern for pattern, kind in known.admits if kind == "tag"], tag):
            admits = listed([f"{kind} {pattern}" for pattern, kind in known.admits]) or "protected branches"
            yield At(f"the environment {name} admits {admits}, and not the tag {tag}", found.file,
                     found.job.environment.line)


def _environments(repository: Repository, index: str) -> list[tuple[str, Publication]]:
    """The environments of the uploads to an index, each once, without those that only a run decides."""
    found = {each.job.environment.text: each for each in reversed(repository.publications)
             if each.index == index and each.job.environment.text and "$" not in each.job.environment.text}
    return sorted(found.items())


@WORKFLOWS.rule("GHA008", "The job that uploads is in the workflow that is started, not in a called one",
      why="PyPI does not support trusted publishing from a called workflow: the identity names two workflows, and "
          "PyPI refuses the token or the attestation.",
      fix="Build in the called workflow, and move the job that uploads into the workflow that calls it.",
      section=LIMITS,
      source="pypa/gh-action-pypi-publish#166, pypi/warehouse#11096 and Teslemetry/python-tesla-fleet-api#116")
def own_workflow(repository: Repository) -> Iterator[At]:
    """Uploads in a workflow that is called, here or from elsewhere.

    Within one repository the exchange of the token may work, because warehouse looks at the called file. PyPI does
    not promise it, and refuses attestations, which name the calling file.
    """
    for found in repository.by_identity:
        if found.callers:
            names = listed(sorted({caller.job.workflow.name for caller in found.callers}))
            yield At(f"{names} calls {found.workflow.name} to upload", found.file, found.line,
                     None if signs(found) else WARNING)
        elif set(found.workflow.events) == {"workflow_call"}:
            yield At(f"{found.workflow.name} can only be called, and uploads", found.file, found.line)


def signs(found: Publication) -> bool:
    """Whether an upload has attestations."""
    if found.tool == PYPA:
        return found.step.inputs["attestations"].word != "false"
    return found.tool == "handbook" or "--attestations" in found.step.run.text
