"""Rules on who publishes: workflow, environment and repository must be those that the indexes trust."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.core.rules import UNVERIFIED, WARNING, At
from labhandbook.core.wording import listed
from labhandbook.github.repository import Repository
from labhandbook.github.trigger_events import admitted
from labhandbook.github.upload_steps import PYPA, Publication
from labhandbook.github.workflow_model import FOLDER, action
from labhandbook.github.workflow_rule import DOCTOR, LIMITS, SETUP, WORKFLOWS
from labhandbook.package.project import PYPROJECT

NAMES = {"pypi": "PyPI", "testpypi": "TestPyPI", "": "the index"}


@WORKFLOWS.rule("GHA001", "A workflow can be read",
      why="GitHub starts nothing from a workflow that it can't read, and a tag then goes by without a word.",
      fix="Mend the line; actionlint tells more.", section=DOCTOR,
      source="PolicyEngine/policyengine-core#469, atomec-project/atoMEC#121 and LeBonhommePharma/FlexAIDdS#315")
def readable(repository: Repository) -> Iterator[At]:
    """Files that are no YAML, or lack `on:` or `jobs:`. https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax"""
    for file, line, what in repository.unreadable:
        yield At(f"the workflow can't be read: {what}", file, line)


@WORKFLOWS.rule("GHA002", "A workflow publishes",
      why="Without one there is nothing to examine; an upload inside a script or in a workflow of another repository "
          "can't be seen from here.",
      fix="Write one with handbook release init, or read what the script or the other workflow does.",
      section=DOCTOR, severity=UNVERIFIED)
def publishes(repository: Repository) -> Iterator[At]:
    """No upload in sight, or a job that hands its identity to a workflow of another repository."""
    foreign = [(workflow, job) for workflow in repository.workflows.values() for job in workflow.jobs.values()
               if job.permits("id-token") and action(job.calls) and repository.sources.called(job) is None]
    for workflow, job in foreign:
        yield At(f"{job.name} gives its identity to {job.calls.text}, which can't be read from here",
                 workflow.file, job.calls.line)
    if not repository.every and not foreign:
        yield At(f"no workflow in {FOLDER} uploads to an index as far as it can be seen", FOLDER)


@WORKFLOWS.rule("GHA003", "The workflow that publishes is the one that is registered",
      why="The index trusts one workflow file of one repository. After a renaming it answers invalid-publisher, at "
          "the upload and not before.",
      fix="Register the file's new name on the index, or give the file its old name back; record what is registered "
           "in [tool.handbook.release.publisher].",
      section=SETUP, source="dennisvang/tufup#176 and lightly-ai/lightly-studio#2230")
def registered(repository: Repository) -> Iterator[At]:
    """A file other than the recorded one, or than the one at the last tag; without a record, what the form must say.

    warehouse compares repository, owner, workflow file and environment: `lookup_by_claims` in
    warehouse/oidc/models/github.py.
    """
    record = repository.publisher
    if record and record.repository and repository.slug and record.repository.lower() != repository.slug.lower():
        yield At(f"{record.repository} is registered, and the remote is {repository.slug}", PYPROJECT, record.line)
    names = sorted({found.workflow.name for found in repository.by_identity})
    if record and record.workflow:
        if names and record.workflow not in names:
            yield At(f"{record.workflow} is registered, and {listed(names)} publishes", PYPROJECT, record.line)
        for found in repository.by_identity:
            if found.workflow.name != record.workflow and record.workflow in names:
                yield At(f"{record.workflow} is registered, and {found.workflow.name} publishes too", found.file,
                         found.line)
        return
    earlier = repository.earlier
    if earlier and names and not {file for file, _ in earlier.publishers} & set(names) and earlier.publishers:
        was = listed(sorted({file for file, _ in earlier.publishers}))
        for found in repository.by_identity:
            yield At(f"{found.workflow.name} publishes, and at {earlier.tag} it was {was}: the form must name the "
                     "new file", found.file, found.line, WARNING)
    for (_, fields), found in forms(repository).items():
        yield At(f"{NAMES[found.index]} doesn't tell whom it trusts; the form must say {fields}", found.file,
                 found.line, UNVERIFIED)


def forms(repository: Repository) -> dict[tuple[str, str], Publication]:
    """The index and fields of each trusted-publisher form that the uploads need, with the first that needs it."""
    owner, _, name = repository.slug.partition("/")
    found: dict[tuple[str, str], Publication] = {}
    for each in repository.by_identity:
        environment = each.job.environment.text
        fields = (f"owner {owner or 'OWNER'}, repository {name or 'NAME'}, workflow {each.workflow.name}, "
                  f"environment {environment or '(empty)'}")
        found.setdefault((each.index, fields), each)
    return found


@WORKFLOWS.rule("GHA004", "The job runs in the environment that is registered",
      why="If the form names an environment, the index takes uploads from no other, and answers invalid-publisher.",
      fix="Give the job the environment of the form, to the letter, or change the form; record it under "
           "environments in [tool.handbook.release.publisher].",
      section=SETUP,
      source="aiokitchen/hasql#34, INCATools/ontology-access-kit#873 and pypa/gh-action-pypi-publish#334")
def environment(repository: Repository) -> Iterator[At]:
    """Another environment than the recorded one, or than at the last tag.

    A form without an environment admits any, and case doesn't count: `_check_environment` in
    warehouse/oidc/models/github.py.
    """
    known = repository.publisher.environments if repository.publisher else {}
    for found in repository.by_identity:
        wanted, given = known.get(found.index, ""), found.job.environment
        place = found.file, given.line if given else found.job.line
        if wanted and "$" in given.text:
            yield At(f"{wanted} is registered on {NAMES[found.index]}; what {given.text} comes to can't be told",
                     *place, UNVERIFIED)
        elif wanted and given.text.lower() != wanted.lower():
            yield At(f"{wanted} is registered on {NAMES[found.index]}, and {found.job.name} runs in "
                     f"{given.text or 'no environment'}", *place)
    if not known and repository.earlier:
        yield from _changed(repository)


def _changed(repository: Repository) -> Iterator[At]:
    """Environments that are other than at the last tag, of the same workflow."""
    earlier = repository.earlier
    assert earlier
    for found in repository.by_identity:
        was = {name for file, name in earlier.publishers if file == found.workflow.name}
        now = found.job.environment.text
        if was and now.lower() not in {name.lower() for name in was} and "$" not in now and any(was):
            yield At(f"{found.job.name} runs in {now or 'no environment'}, and at {earlier.tag} it was "
                     f"{listed(sorted(filter(None, was)))}: the form must name the new one", found.file,
                     found.job.environment.line if now else found.job.line, WARNING)


@WORKFLOWS.rule("GHA005", "A job that uploads has an environment",
      why="Without one every workflow run of that file may publish, and nobody is asked.",
      fix="Write environment: pypi (testpypi for TestPyPI) into the job, make the environment on GitHub with "
           "reviewers, and name it in the form.",
      section=SETUP, severity=WARNING, source="scikit-learn/scikit-learn#28445 and AFM-SPM/TopoStats#781")
def guarded(repository: Repository) -> Iterator[At]:
    """Uploads by trusted publishing to PyPI from a job without an environment."""
    for found in repository.by_identity:
        if not found.job.environment and found.index == "pypi":
            yield At(f"{found.job.name} publishes without an environment", found.file, found.job.line)


@WORKFLOWS.rule("GHA006", "The environment of PyPI asks before it publishes",
      why="An environment that doesn't exist is made by the first run, without a rule: the upload that can't be "
          "taken back then goes through by itself.",
      fix="Make it on GitHub under Settings, Environments, and give it required reviewers.",
      section=SETUP, severity=WARNING, source="KCNyu/clawock#810 and anthony-chaudhary/dos-kernel#2")
def asks(repository: Repository) -> Iterator[At]:
    """Environments that GitHub doesn't know, or that ask nobody. https://docs.github.com/rest/deployments/environments"""
    for name, found in _environments(repository, "pypi"):
        place = found.file, found.job.environment.line
        known = repository.github.environment(name)
        if repository.github.problem:
            yield At(f"whether the environment {name} exists and asks can't be told: {repository.github.problem}",
                     *place, UNVERIFIED)
        elif known is None:
            yield At(f"the environment {name} isn't there yet", *place)
        elif not known.asks:
            yield At(f"the environment {name} asks nobody", *place)


@WORKFLOWS.rule("GHA007", "The environment lets the tag through",
      why="An environment that admits branches only refuses the job of a tag before its first step.",
      fix="On GitHub add a rule for tags, such as v*, to the environment's deployment branches and tags.",
      section=SETUP, source="zarr-developers/pydantic-zarr#159 and amd/gaia#2935")
def lets_through(repository: Repository) -> Iterator[At]:
    """Deployment policies without a pattern for the tag. Whether GitHub answers is told by GHA006."""
    for name, found in [*_environments(repository, "pypi"), *_environments(repository, "testpypi")]:
        known = repository.github.environment(name)
        if known is None or known.admits is None or not any(each.of_tag for each in found.every):
            continue
        if not admitted([pattern for pattern, kind in known.admits if kind == "tag"], repository.tag):
            told = listed([f"{kind} {pattern}" for pattern, kind in known.admits]) or "protected branches"
            yield At(f"the environment {name} admits {told}, and not the tag {repository.tag}", found.file,
                     found.job.environment.line)


def _environments(repository: Repository, index: str) -> list[tuple[str, Publication]]:
    """The environments of the uploads to an index, each once, without those that only a run tells."""
    found = {each.job.environment.text: each for each in reversed(repository.publications)
             if each.index == index and each.job.environment.text and "$" not in each.job.environment.text}
    return sorted(found.items())


@WORKFLOWS.rule("GHA008", "The upload stands in the workflow that was started",
      why="PyPI knows no trusted publishing from a called workflow: the identity names two workflows, and token or "
          "signature is refused.",
      fix="Let the called workflow build, and put the job that uploads into the workflow that calls it.",
      section=LIMITS,
      source="pypa/gh-action-pypi-publish#166, pypi/warehouse#11096 and Teslemetry/python-tesla-fleet-api#116")
def own_workflow(repository: Repository) -> Iterator[At]:
    """Uploads in a workflow that is called, here or from elsewhere.

    Within one repository the exchange of the token may go well, as warehouse looks at the called file; PyPI doesn't
    promise it, and refuses signatures, which name the calling one.
    """
    for found in repository.by_identity:
        if found.callers:
            names = listed(sorted({caller.job.workflow.name for caller in found.callers}))
            yield At(f"{names} calls {found.workflow.name} to upload", found.file, found.line,
                     None if signs(found) else WARNING)
        elif set(found.workflow.triggers) == {"workflow_call"}:
            yield At(f"{found.workflow.name} can only be called, and uploads", found.file, found.line)


def signs(found: Publication) -> bool:
    """Whether an upload goes with signatures."""
    if found.tool == PYPA:
        return found.step.inputs["attestations"].word != "false"
    return found.tool == "handbook" or "--attestations" in found.step.run.text
