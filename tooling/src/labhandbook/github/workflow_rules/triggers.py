"""Rules on what starts a publication: only the tag, and only once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from labhandbook.core.rules import WARNING, At
from labhandbook.core.yaml_reader import Value
from labhandbook.github.expressions import holds
from labhandbook.github.repository import DOCTOR, WORKFLOW, WORKFLOWS, Repository
from labhandbook.github.trigger_events import RELEASED, TAG, Trigger, deciding, tag_admitted, triggers
from labhandbook.github.upload_steps import Publication, reaches
from labhandbook.github.workflow_model import Workflow

SNAPSHOT = TAG + "a-branch-as-it-was-2026-07-22"


@WORKFLOWS.rule("GHA010", "The tag of a version starts the workflow that publishes",
      why="If the tag does not match a filter or condition, GitHub starts nothing and reports nothing. A job is "
          "also skipped if a job that it needs, directly or through others, is skipped.",
      fix="Make the pattern of on.push.tags and the conditions match the form of your tags. Put a pattern in "
          "quotes if it begins with [ or *.",
      section=WORKFLOW,
      source="slac-lcls/lcls2#118, peshay/tpm#44, ckan/ckanext-xloader#231, actions/runner#2205 and "
             "xmos/sln_voice#217")
def started(repository: Repository) -> Iterator[At]:
    """A push of the tag that no filter admits, or on which no uploading job runs; and the tags of pre-releases."""
    uploads = [found for found in repository.publications if found.index != "testpypi"] or repository.publications
    if any(each.of_tag for found in uploads for each in found.every):
        yield from _trials(repository, uploads)
        return
    for found in uploads:
        for workflow in _starting(found):
            filters = workflow.events.get("push", Value())
            tag = repository.sources.tag(workflow)
            names = f"the tag {tag}{repository.tag_from if tag == repository.sources.tags[0] else ''}"
            if "tags" in filters.map or "tags-ignore" in filters.map:
                kind = "tags" if "tags" in filters.map else "tags-ignore"
                if not tag_admitted(filters, tag):
                    # By hand a person can run it on the tag.
                    weight = WARNING if any(each.event == "workflow_dispatch" for each in found.every) else None
                    yield At(f"no pattern admits {names}", workflow.file, filters.at(kind), weight)
                    continue
            for trigger in [each for each in triggers(workflow, tag) if each.of_tag][:1]:
                yield _never(found, trigger, f"never runs on {names}")


def _starting(found: Publication) -> list[Workflow]:
    """The workflow of an upload and those that call it."""
    return list({workflow.file: workflow for workflow in (
        found.workflow, *(caller.job.workflow for caller in found.callers))}.values())


def _never(found: Publication, trigger: Trigger, what: str) -> At:
    """That an upload does not happen on a trigger, at the condition that prevents it."""
    condition = found.step.body["if"] or found.job.body["if"]
    for job in deciding(found.job)[1:]:
        if holds(job.body["if"].text, trigger.known) is False:
            return At(f"{found.job.name} {what}: {job.name} is skipped, and so are the jobs behind it",
                      job.workflow.file, job.body["if"].line)
    return At(f"{found.job.name} {what}", found.file, condition.line if condition else found.line)


def _trials(repository: Repository, uploads: list[Publication]) -> Iterator[At]:
    """A filter that shuts out the newest pre-release, where no other workflow publishes it."""
    if not repository.trials or any(each.event == "release" for found in uploads for each in found.every):
        return
    tag = repository.trials[0]
    filters = [(workflow, workflow.events.get("push", Value())) for found in uploads for workflow in _starting(found)]
    if filters and not any(tag_admitted(push, tag) for _, push in filters):
        workflow, push = filters[0]
        yield At(f"no pattern admits a pre-release such as {tag}", workflow.file, push.at("tags"), WARNING)


@WORKFLOWS.rule("GHA011", "A published release starts the upload once",
      why="When you publish a draft, GitHub sends the event published, but not created. When you publish a release "
          "at once, it sends created, published and released, and pushes a new tag as well. Then a second upload "
          "finds the files of the first on the index.",
      fix="Let one event start the upload: on.push.tags, or on.release with types: [published].", section=WORKFLOW,
      source="linkml/linkml-map#281, PyO3/setuptools-rust#73, browser-history/browser-history#148 and "
             "uwplasma/ESSOS#69")
def once(repository: Repository) -> Iterator[At]:
    """`on: release` with created alone, more than one of the types that one release sends, or the tag beside it."""
    # Of several uploads in a workflow the one to PyPI decides, because it can't be taken back.
    uploads = sorted(repository.publications, key=lambda found: found.index != "testpypi")
    last = {found.workflow.file: found for found in uploads}
    for found in last.values():
        actions, line = _released(found), found.workflow.event_line("release")
        if len(actions) > 1:
            yield At(f"one release starts {found.workflow.name} {len(actions)} times: {', '.join(sorted(actions))}",
                     found.workflow.file, line, WARNING if found.index == "testpypi" else None)
        elif actions == {"created"}:
            yield At(f"a release that is saved as a draft first never starts {found.workflow.name}",
                     found.workflow.file, line, WARNING)
    yield from _tag_and_release([found for found in last.values() if found.index == "pypi" and _released(found)],
                                [found for found in last.values() if found.index == "pypi" and _pushed(found)])


def _tag_and_release(released: list[Publication], pushed: list[Publication]) -> Iterator[At]:
    """Uploads on a release, beside others on the push of its tag, unless files that are there already are passed."""
    for found in released:
        for other in pushed:
            folders = found.folder, other.folder
            if not (skips(found) or skips(other)) and folders[0] == folders[1] and _same_project(found, other):
                what = "twice" if other.workflow is found.workflow else f"and {other.workflow.name}"
                yield At(f"one release starts {found.workflow.name} {what}: its tag is pushed too",
                         found.workflow.file, found.workflow.event_line("release"))
                break


def _same_project(one: Publication, other: Publication) -> bool:
    """Whether two uploads are of one project, as far as environments and addresses tell."""
    return one.job.environment.text == other.job.environment.text \
        or {one.job.environment.text.lower(), other.job.environment.text.lower()} <= {"", "pypi", "release"}


def skips(found: Publication) -> bool:
    """Whether an upload passes over files that the index has."""
    inputs = found.step.inputs
    return "--skip-existing" in found.step.run.text or "handbook" in found.tool or any(
        inputs[name].word not in ("", "false") for name in ("skip-existing", "skip_existing"))


def _released(found: Publication) -> set[str]:
    """The types of the events of one release on which an upload runs."""
    return {each.action for each in found.sure if each.event == "release"} & set(RELEASED)


def _pushed(found: Publication) -> bool:
    """Whether an upload runs on the push of a tag."""
    return any(each.event == "push" and each.of_tag for each in found.sure)


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
      why="Otherwise every push uploads. PyPI refuses files that it has already, and the local versions of commits "
          "between two tags.",
      fix="Let on.push.tags start the workflow, or give the job the condition startsWith(github.ref, 'refs/tags/').",
      section=WORKFLOW, severity=WARNING,
      source="Boulder-Investment-Technologies/lppls#124 and pypa/gh-action-pypi-publish#282")
def no_branch(repository: Repository) -> Iterator[At]:
    """Uploads to PyPI that run on the push of a branch whatever the run decides."""
    for found in repository.publications:
        if found.index == "pypi" and any(each.event == "push" and each.of_branch for each in found.sure):
            yield At(f"{found.job.name} uploads on every push to a branch", found.file, found.line)


@WORKFLOWS.rule("GHA015", "Only a tag that names a version publishes",
      why="A tool that reads the version from the tag finds a number in almost any tag. The tag of a snapshot once "
          "became version 22, which is higher than every real version.",
      fix="Write on.push.tags with a pattern such as v*, or give the PyPI environment a rule for tags.",
      section=WORKFLOW, severity=WARNING, source="OpenSourceEconomics/pylcm#410")
def only_versions(repository: Repository) -> Iterator[At]:
    """Uploads without an environment that any tag would start, where the version comes from the tag."""
    for found in repository.publications:
        if not repository.from_git or found.index != "pypi" or found.job.environment:
            continue
        sources = replace(repository.sources, tags=(SNAPSHOT.removeprefix(TAG),))
        starts: list[Trigger] = [*triggers(found.workflow, sources.tags[0]),
                                  *(each for caller in sources.callers(found.workflow) for each in caller.triggers)]
        if any(each.event == "push" and each.of_tag and reaches(found.job, found.step, each) for each in starts):
            yield At(f"any tag makes {found.job.name} upload", found.file, found.workflow.event_line("push"))


@WORKFLOWS.rule("GHA016", "The workflow that publishes is committed",
      why="GitHub runs the workflow of the tagged commit, not the file in your folder.",
      fix="Commit and push the workflow, then tag.", section=DOCTOR, source="Kozea/Radicale#1493")
def committed(repository: Repository) -> Iterator[At]:
    """Workflow files that git doesn't track, or that differ from the commit."""
    for workflow in repository.publishing:
        if workflow.file in repository.loose:
            yield At(f"{workflow.name} is not in git", workflow.file)
        elif workflow.file in repository.changed:
            yield At(f"{workflow.name} differs from the last commit", workflow.file, severity=WARNING)


@WORKFLOWS.rule("GHA018", "Every upload is reached by an event",
      why="GitHub skips a job whose condition does not hold and reports nothing. The ref of a workflow_run, for "
          "example, is always the default branch, so a condition on a tag never holds there.",
      fix="Name the event under on:, or correct the condition. Publish in the workflow that the tag starts.",
      section=WORKFLOW, source="weaviate/weaviate-python-client#168 and astral-sh/ruff#46")
def reached(repository: Repository) -> Iterator[At]:
    """Uploads on which no event of their workflow, and no caller, ends up; a condition `false` switches one off."""
    for found in repository.publications:
        starts = [each for workflow in _starting(found)
                  for each in triggers(workflow, repository.sources.tag(workflow))]
        off = any(holds(text, {}) is False for text in
                  (*found.step.conditions, *(job.body["if"].text for job in deciding(found.job))))
        # The tag of a version is the matter of GHA010.
        if not found.every and starts and not off and not any(each.of_tag for each in starts):
            weight = None if _alone(repository, found) else WARNING
            at = _never(found, starts[0], f"uploads on no event of {', '.join(sorted({e.event for e in starts}))}")
            yield At(at.message, at.file, at.line, weight)


def _alone(repository: Repository, found: Publication) -> bool:
    """Whether nothing else uploads to an index."""
    return not any(other.every for other in repository.publications if other.index == found.index)


@WORKFLOWS.rule("GHA019", "A fork does not try to publish",
      why="A push to a branch of a fork, or its schedule, starts the workflow there. The index refuses the fork, and "
          "its owner gets a red run each time.",
      fix="Give the job the condition github.repository == 'owner/name'.",
      section=WORKFLOW, severity=WARNING,
      source="ricklupton/rmscene#43, thebjorn/pydeps#114 and SciTools/iris#5180")
def no_fork(repository: Repository) -> Iterator[At]:
    """Uploads on the push of a branch or a schedule that run in a fork too."""
    for found in repository.publications:
        for each in found.triggers:
            branch = each.event == "push" and each.of_branch and found.index != "pypi"  # GHA014 has those to PyPI.
            if each.sure and (branch or each.event == "schedule") \
                    and reaches(found.job, found.step, replace(each, fork=True)):
                on = "the push of a branch" if branch else "a schedule"
                yield At(f"{found.job.name} uploads on {on} in every fork", found.file, found.line)
                break


@WORKFLOWS.rule("GHA045", "A release goes to PyPI",
      why="Nobody gets files that are on TestPyPI alone: pip does not look there, and the page can be deleted at "
          "any time.",
      fix="Add a job that uploads to PyPI, or remove the address of TestPyPI from the last upload.",
      section=WORKFLOW, severity=WARNING, source="astro-datalab/datalab#66 and ros-tooling/cross_compile#61")
def to_pypi(repository: Repository) -> Iterator[At]:
    """Uploads on a tag or a release of which all go to TestPyPI."""
    found = [each for each in repository.every if any(trigger.of_tag for trigger in each.every)]
    if found and {each.index for each in repository.every} == {"testpypi"}:
        yield At(f"{found[-1].job.name} uploads to TestPyPI, and nothing uploads to PyPI", found[-1].file,
                 found[-1].line)
