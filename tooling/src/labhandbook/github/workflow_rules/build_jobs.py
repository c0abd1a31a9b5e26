"""Rules on how the files are built: from the whole history, once, in a job of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.core.wording import listed
from labhandbook.github.repository import WORKFLOW, WORKFLOWS, Repository
from labhandbook.github.upload_steps import DEPLOY, MATURIN, POETRY, PYPA, Publication
from labhandbook.github.workflow_model import Job, Step

BUILDS = re.compile(r"(?<![\w/.-])(python\d?(?:\.\d+)?\s+-\w*m\s+build\b|pyproject-build\b|uv\s+build\b"
                    r"|(?:pipx\s+run|uvx)\s+build\b"
                    r"|hatch\s+(?:-\S+\s+)*build\b|flit\s+(?:build|publish)\b|poetry\s+build\b"
                    r"|poetry\s+publish\b.*--build|pdm\s+build\b"
                    r"|pdm\s+publish\b(?!.*--no-build)|maturin\s+(?:build|sdist|publish)\b|cibuildwheel\b|pip\s+wheel\b"
                    r"|setup\.py\s+.*(?:sdist|bdist_wheel)|handbook\s+release\s+(?:build|rehearse)\b)")
BUILDERS = ("hynek/build-and-inspect-python-package", "pypa/cibuildwheel", *MATURIN)
# What these are given does not change a pure package.
SETUPS = ("actions/setup-python", "astral-sh/setup-uv", "actions/cache")
NO_BUILD = re.compile(r"^\s*(#|echo\b)|--print-build-identifiers|--help")
VALUED = ("-o", "--outdir", "--out-dir", "-w", "-C", "--config-setting", "--installer", "-p", "--python", "-t")
PRETENDS = re.compile(r"\b(SETUPTOOLS_SCM|VCS_VERSIONING|PDM_BUILD_SCM|UV_DYNAMIC_VERSIONING\w*|POETRY_DYNAMIC\w*)\w*"
                      r"(PRETEND|BYPASS|VERSION)")
FETCHES = re.compile(r"\bgit\s+fetch\b.*(--unshallow|--tags|--depth[= ]\d{3,})")


def built(step: Step) -> int:
    """The line on which a step builds a distribution, 0 when it builds none."""
    if step.uses(DEPLOY, POETRY):
        made = any(step.inputs[name].word not in ("", "false") for name in ("build", "setup", "pip"))
        return step.body["uses"].line if made or step.uses(POETRY) else 0
    if step.uses(*BUILDERS):
        upload = step.inputs["command"].word in ("upload", "publish")
        return 0 if upload else step.body["uses"].line
    return next((number for number, line in step.run.lines
                 if not NO_BUILD.search(line) and BUILDS.search(line)), 0)


@WORKFLOWS.rule("GHA030", "The job that builds checks out the whole history",
      why="actions/checkout fetches one commit, and a tag only if that tag started the run. A tool that reads the "
          "version from git then makes a version such as 0.1.dev1+g0a1b2c3, which PyPI refuses.",
      fix="Write fetch-depth: 0 under the with: of actions/checkout.",
      section=WORKFLOW,
      source="hubtty/hubtty#144, cognizant-ai-lab/neuro-san#1079, camelot-dev/camelot#596 and "
             "scikit-hep/pyhf#832")
def whole_history(repository: Repository) -> Iterator[At]:
    """A shallow checkout before the build of a project whose version comes from git.

    On the push of a tag actions/checkout fetches that tag with its commit, which is enough for setuptools-scm
    (measured with 10.3.4). A run on a branch or by hand has no tag.
    """
    if not repository.from_git:
        return
    places = set()
    for found in repository.publications:
        # By hand it runs on the tag that the person chooses, or on a branch, which has no version in any checkout.
        if all(each.of_tag or each.event == "workflow_dispatch" for each in found.every):
            continue
        for job in repository.building(found):
            for step in _shallow(repository, job):
                if (place := (job.workflow.file, step.line)) not in places:
                    places.add(place)
                    yield At("the build checks out one commit, without the tags", *place)


def _shallow(repository: Repository, job: Job) -> list[Step]:
    """The checkouts of one commit in a job that builds, unless the job fetches more or is given the version."""
    steps = list(repository.sources.steps(job.steps))
    if not any(built(step) and not _elsewhere(job, step) for step in steps) \
            or any(FETCHES.search(step.run.text) for step in steps) or PRETENDS.search(" ".join(
                [*job.body["env"].map, *job.workflow.body["env"].map, *(text for step in steps for text in (
                    *step.body["env"].map, step.run.text))])):
        return []
    return [step for step in steps if step.uses("actions/checkout") and "repository" not in step.inputs.map
            and step.inputs["fetch-depth"].text in ("", "1")]


def _elsewhere(job: Job, step: Step) -> bool:
    """Whether a step builds a package in another folder, whose version may be written down."""
    given = [step.body["working-directory"], job.body["defaults"]["run"]["working-directory"],
             *(step.inputs[name] for name in ("package-dir", "path", "working-directory"))]
    if any(value.text.strip("./") for value in given) or re.search(r"(?m)^\s*cd\s+(?!\.?\s*$)\S", step.run.text):
        return True
    return any(_folder(line[match.end():].split()) for _, line in step.run.lines if (match := BUILDS.search(line)))


def _folder(words: list[str]) -> bool:
    """Whether the words behind a command that builds name a package or another folder than the current one."""
    passed = False
    for word in words:
        if re.match(r"[&|;>#]", word):
            return False
        if word == "--package" or not (passed or word.startswith("-") or not word.strip("./\"'")):
            return True
        passed = word in VALUED
    return False


@WORKFLOWS.rule("GHA031", "The files are built once, in a job that does not upload",
      why="Otherwise PyPI gets other files than TestPyPI and the tests. A build also runs other people's code. In "
          "the job that uploads, this code could use the identity that may publish.",
      fix="Build in one job, keep the files with actions/upload-artifact, and let the uploading jobs download them.",
      section=WORKFLOW, severity=WARNING, source="usemoss/moss#505, psf/requests#7013 and jabesq-org/pyatmo#645")
def once(repository: Repository) -> Iterator[At]:
    """A build in an uploading job, with the other jobs that build and upload in the same run."""
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
    """Whether two uploads happen in one run, as far as is known beforehand."""
    return bool(set(one.sure) & set(other.sure)) and one.workflow is other.workflow


@WORKFLOWS.rule("GHA032", "A job that signs its files uploads once",
      why="The action writes its signatures beside the files. A second upload in the same job finds the signatures "
          "of the first, and stops.",
      fix="Give each index a job of its own that downloads the files again.",
      section=WORKFLOW,
      source="pypa/gh-action-pypi-publish#319, pypa/gh-action-pypi-publish#283, icesat2py/icepyx#687 and "
             "astro-informatics/s2fft#259")
def one_upload(repository: Repository) -> Iterator[At]:
    """gh-action-pypi-publish twice in a job, both signing, which is the default from version 1.11 on."""
    signing = [found for found in repository.by_identity if found.tool == PYPA
               and found.step.inputs["attestations"].word != "false"
               and (not found.step.action or not found.step.action.version or found.step.action.version >= (1, 11))]
    for number, found in enumerate(signing):
        if any(other.job is found.job and together(found, other) and other.folder == found.folder
               for other in signing[:number]):
            yield At(f"{found.job.name} uploads a second time, and its files are signed already", found.file,
                     found.line)


@WORKFLOWS.rule("GHA033", "The job that uploads has no matrix",
      why="A matrix makes several copies of the job, and each uploads the same files. PyPI accepts the first upload "
          "and refuses the others.",
      fix="Build in the matrix, keep the files, and upload them all from one job.",
      section=WORKFLOW, severity=WARNING,
      source="pypa/gh-action-pypi-publish#155 and pypa/gh-action-pypi-publish#16")
def no_matrix(repository: Repository) -> Iterator[At]:
    """An upload in a matrix whose copies have the same files and the same index."""
    for found in repository.publications:
        matrix = found.job.body["strategy"]["matrix"]
        # In which order the entries combine is GitHub's matter; one alone makes one copy.
        several = any(len(value.items) > 1 for value in matrix.map.values())
        used = [found.job.body["env"], found.job.body["environment"], found.job.body["if"],
                *(step.body[key] for step in found.job.steps if not step.uses(*SETUPS)
                  for key in ("uses", "with", "env", "run", "if", "working-directory"))]
        if several and not any("matrix." in value.text for body in used for value in body.scalars()):
            yield At(f"{found.job.name} uploads once for each entry of its matrix", found.file,
                     found.job.body.at("strategy"))
