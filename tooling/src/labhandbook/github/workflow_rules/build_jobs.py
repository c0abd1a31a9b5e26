"""Rules on how the files come to be: from the whole history, once, in a job of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import ERROR, WARNING, At
from labhandbook.core.wording import listed
from labhandbook.github.repository import Repository
from labhandbook.github.upload_steps import MATURIN, PYPA, Publication
from labhandbook.github.workflow_model import Job, Step
from labhandbook.github.workflow_rule import WORKFLOW, WORKFLOWS

BUILDS = re.compile(r"(?<![\w/.-])(python\d?(?:\.\d+)?\s+-m\s+build\b|pyproject-build\b|uv\s+build\b"
                    r"|hatch\s+(?:-\S+\s+)*build\b|flit\s+(?:build|publish)\b|poetry\s+build\b|poetry\s+publish\b.*--build|pdm\s+build\b"
                    r"|pdm\s+publish\b(?!.*--no-build)|maturin\s+(?:build|sdist|publish)\b|cibuildwheel\b|pip\s+wheel\b"
                    r"|setup\.py\s+.*(?:sdist|bdist_wheel)|handbook\s+release\s+(?:build|rehearse)\b)")
BUILDERS = ("hynek/build-and-inspect-python-package", "pypa/cibuildwheel", *MATURIN)
NO_BUILD = re.compile(r"^\s*(#|echo\b)|--print-build-identifiers|--help")
FETCHES = re.compile(r"\bgit\s+fetch\b.*(--unshallow|--tags|--depth[= ]\d{3,})")


def built(step: Step) -> int:
    """The line on which a step builds a distribution, 0 when it doesn't."""
    if step.uses(*BUILDERS):
        upload = step.inputs["command"].word in ("upload", "publish")
        return 0 if upload else step.body["uses"].line
    return next((number for number, line in step.run.lines
                 if not NO_BUILD.search(line) and BUILDS.search(line)), 0)


@WORKFLOWS.rule("GHA030", "The build sees the whole history",
      why="actions/checkout fetches one commit. A tool that reads the version off git then invents one such as "
          "0.1.dev1+g0a1b2c3, which PyPI refuses; only on the event of a tag the one tag comes along.",
      fix="Write fetch-depth: 0 under the with: of actions/checkout.",
      section=WORKFLOW,
      source="hubtty/hubtty#144, cognizant-ai-lab/neuro-san#1079, camelot-dev/camelot#596 and "
             "scikit-hep/pyhf#832")
def whole_history(repository: Repository) -> Iterator[At]:
    """A shallow checkout before the build of a project whose version comes from git.

    On the push of a tag actions/checkout fetches that tag with its commit, which setuptools-scm is content with
    (measured with 10.3.4); on a branch or by hand it isn't there.
    """
    if not repository.from_git:
        return
    told = set()
    for found in repository.publications:
        # By hand it runs on the tag that the person chooses, or on a branch that no checkout gives a version.
        tagged = all(each.of_tag or each.event == "workflow_dispatch" for each in found.every)
        for workflow, step in [(job.workflow, step) for job in repository.building(found)
                               for step in _shallow(repository, job)]:
            # Where a tag starts it, one place to look at is enough.
            place = workflow.file, 0 if tagged else step.line
            if place not in told:
                what = "with the tag that started it and no other" if tagged else "without the tags"
                yield At(f"the build checks out one commit, {what}", workflow.file, step.line,
                         WARNING if tagged else ERROR)
            told.add(place)


def _shallow(repository: Repository, job: Job) -> list[Step]:
    """The checkouts of a job that builds, as far as they fetch one commit and nothing fetches more."""
    steps = list(repository.sources.steps(job.steps))
    if not any(built(step) for step in steps) or any(FETCHES.search(step.run.text) for step in steps):
        return []
    return [step for step in steps if step.uses("actions/checkout") and "repository" not in step.inputs.map
            and step.inputs["fetch-depth"].text in ("", "1")]


@WORKFLOWS.rule("GHA031", "What is uploaded was built once, in a job of its own",
      why="What TestPyPI got and the tests saw is then not what PyPI gets. A build also runs code of others, beside "
          "the identity that may publish.",
      fix="Build in one job, keep the files with actions/upload-artifact, and let the uploading jobs download them.",
      section=WORKFLOW, severity=WARNING, source="usemoss/moss#505, psf/requests#7013 and jabesq-org/pyatmo#645")
def once(repository: Repository) -> Iterator[At]:
    """A build in an uploading job; an error where two jobs build and upload on one occasion."""
    builders = {}
    for found in repository.publications:
        line = max((built(step) for step in repository.sources.steps(found.job.steps)), default=0)
        if line:
            builders[found.workflow.file, found.job.name] = (found, line)
    for (file, name), (found, line) in builders.items():
        others = [job for (_, job), (other, _) in builders.items()
                  if other.job is not found.job and together(found, other)]
        yield At(f"{name} builds what it uploads" + (f", and {listed(others)} builds it again" if others else ""),
                 file, line)


def together(one: Publication, other: Publication) -> bool:
    """Whether two uploads happen in one run, as far as that can be told beforehand."""
    return bool(set(one.sure) & set(other.sure)) and one.workflow is other.workflow


@WORKFLOWS.rule("GHA032", "A job uploads once",
      why="The action signs the files where they lie. A second upload in the same job finds the statements of the "
          "first, and stops.",
      fix="Give each index a job of its own that downloads the files afresh.",
      section=WORKFLOW,
      source="pypa/gh-action-pypi-publish#319, pypa/gh-action-pypi-publish#283, icesat2py/icepyx#687 and "
             "astro-informatics/s2fft#259")
def one_upload(repository: Repository) -> Iterator[At]:
    """gh-action-pypi-publish twice in a job, both signing: from version 1.11 on they do unless told otherwise."""
    signing = [found for found in repository.by_identity if found.tool == PYPA
               and found.step.inputs["attestations"].word != "false"
               and (not found.step.action or not found.step.action.version or found.step.action.version >= (1, 11))]
    for number, found in enumerate(signing):
        if any(other.job is found.job and together(found, other) and _folder(other) == _folder(found)
               for other in signing[:number]):
            yield At(f"{found.job.name} uploads a second time, and its files are signed already", found.file,
                     found.line)


def _folder(found: Publication) -> str:
    """The folder that an upload by the action takes."""
    given = found.step.inputs["packages-dir"] or found.step.inputs["packages_dir"]
    return given.text.strip("./ ") or "dist"


@WORKFLOWS.rule("GHA033", "The uploading job has no matrix",
      why="Each of its copies uploads the same files, and all but the first are told that the file exists.",
      fix="Build in the matrix, keep the files, and upload them all from one job.",
      section=WORKFLOW, severity=WARNING, source="pypa/gh-action-pypi-publish#155 and pypa/gh-action-pypi-publish#16")
def no_matrix(repository: Repository) -> Iterator[At]:
    """An upload in a matrix that neither takes other files nor goes elsewhere in each copy."""
    for found in repository.publications:
        matrix = found.job.body["strategy"]["matrix"]
        used = [found.step.body, found.job.body["environment"], found.job.body["if"],
                *(step.body for step in found.job.steps if step.uses("actions/download-artifact"))]
        if matrix and not any("matrix." in value.text for body in used for value in body.scalars()):
            yield At(f"{found.job.name} uploads once for each entry of its matrix", found.file,
                     found.job.body.at("strategy"))
