"""Rules on how files get from the job that builds to the job that uploads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import ERROR, WARNING, At
from labhandbook.github.repository import WORKFLOW, WORKFLOWS, Repository
from labhandbook.github.upload_steps import PYPA, Publication
from labhandbook.github.workflow_model import Job, Step

UP, DOWN = "actions/upload-artifact", "actions/download-artifact"
# Actions that keep files under a name of their own.
KEEPERS = {"hynek/build-and-inspect-python-package": "Packages"}
SPECIFIERS = re.compile(r"[<=~]=?")


@WORKFLOWS.rule("GHA034", "A job downloads only files that a job it waits for has kept",
      why="A download looks for the name at that moment, in that run: a job that it does not wait for may still be "
          "running, and a misspelt name is never there.",
      fix="Name the building job under needs:, and use the same name in upload-artifact and download-artifact.",
      section=WORKFLOW, source="gbionics/adam#107 and jorgeortizfuentes/fintself#4")
def kept_before(repository: Repository) -> Iterator[At]:
    """download-artifact in an uploading job without needs:, or with a name that no job keeps."""
    for found in repository.publications:
        # A called workflow downloads what jobs of its caller kept.
        for step in _downloads(found) if "workflow_call" not in found.workflow.events else []:
            if not found.job.needs:
                yield At(f"{found.job.name} downloads files and waits for no job", found.file, step.line)
                continue
            name, kept = step.inputs["name"].text, _kept(repository, found.job)
            if name and "$" not in name and kept is not None and name not in kept:
                known = ", ".join(sorted(kept)) or "none"
                yield At(f"no job that {found.job.name} waits for keeps {name} (kept: {known})", found.file,
                         step.inputs.at("name"))


def _downloads(found: Publication) -> list[Step]:
    """The downloads of a job from its own run."""
    return [step for step in found.job.steps if step.uses(DOWN) and "run-id" not in step.inputs.map
            and not step.body["if"].text]


def _kept(repository: Repository, job: Job) -> set[str] | None:
    """The names under which the jobs before this one keep files; None where some names are unknown."""
    names, waiting, seen = set(), list(job.needs), set[str]()
    while waiting:
        name = waiting.pop()
        before = job.workflow.jobs.get(name)
        if before is None or name in seen:
            continue
        seen.add(name)
        waiting += before.needs
        called = repository.sources.called(before)
        if before.calls.text and called is None:
            return None
        inner = called.jobs.values() if called else [before]
        for step in (step for each in inner for step in repository.sources.steps(each.steps)):
            kept = _keeps(step)
            if kept is None or "$" in kept:
                return None
            names |= {kept} if kept else set()
    return names


def _keeps(step: Step) -> str | None:
    """The name under which a step keeps files, "" when it keeps none, None where the name is unknown."""
    used = step.action
    if used is None:
        return None if step.body["uses"].text and not step.body["uses"].text.startswith("./") else ""
    if used.repository == UP:
        return step.inputs["name"].text or "artifact"
    if used.repository in KEEPERS:
        return None if "upload-name-suffix" in step.inputs.map else KEEPERS[used.repository]
    return "" if used.repository.startswith(("actions/", "astral-sh/", "step-security/")) else None


@WORKFLOWS.rule("GHA035", "The files are downloaded into the folder that is uploaded",
      why="Without a name each artifact is downloaded into a folder of its own, and the upload finds no file.",
      fix="Download by name into dist/, or add merge-multiple: true.", section=WORKFLOW,
      source="Grid2op/lightsim2grid#169, NatLabRockies/plexosdb#111 and pypa/gh-action-pypi-publish#199")
def in_place(repository: Repository) -> Iterator[At]:
    """download-artifact from version 4 on, without a name, straight into the folder that is uploaded."""
    for found in repository.publications:
        if found.tool != PYPA or any(step.run.text for step in found.job.steps):
            continue
        for step in _downloads(found):
            named = {"name", "artifact-ids"} & step.inputs.map.keys()
            version = step.action.version if step.action else ()
            path = step.inputs["path"].text.strip().removeprefix("./").strip("/")
            merged = step.inputs["merge-multiple"].word == "true"
            if not named and version >= (4,) and not merged and path == found.folder:
                yield At(f"the files are downloaded into folders below {path}/", found.file, step.line)


@WORKFLOWS.rule("GHA036", "The artifact actions are version 4 or newer",
      why="GitHub fails every run that uses versions 1 to 3 of upload-artifact or download-artifact.",
      fix="Use the current version of both, pinned by commit.", section=WORKFLOW,
      source="PyThaiNLP/pythainlp#1076, pybind/pybind11-stubgen#246 and rigetti/qcs-sdk-rust#530")
def artifact_version(repository: Repository) -> Iterator[At]:
    """Versions before 4. https://github.blog/changelog/2024-04-16-deprecation-notice-v3-of-the-artifact-actions/"""
    for workflow in repository.publishing:
        for step in (step for job in workflow.jobs.values() for step in repository.sources.steps(job.steps)):
            used = step.action
            if used and used.repository in (UP, DOWN) and used.version and used.version < (4,):
                yield At(f"GitHub has switched off {used.repository} {used.version[0]}", step.file, used.line)


@WORKFLOWS.rule("GHA037", "The uploading action can read the metadata of today's build backends",
      why="Before 1.12.3 pypa/gh-action-pypi-publish can't read metadata 2.4, which today's backends write, and says "
          "that name and version are missing. Its branch master ended years before.",
      fix="Use its current version, pinned by commit.", section=WORKFLOW,
      source="pypa/gh-action-pypi-publish#351, pypa/gh-action-pypi-publish#354, coin-or/CyLP#214 and "
             "bloomberg/memray#190")
def reads_metadata(repository: Repository) -> Iterator[At]:
    """gh-action-pypi-publish from before 1.12.3; a warning where the project limits its backend's version."""
    project = repository.project
    limited = project is None or any(map(SPECIFIERS.search, project.strings("build-system", "requires")))
    for found in repository.publications:
        used = found.step.action
        if found.tool != PYPA or used is None:
            continue
        if used.ref == "master":
            yield At("the branch master is no longer maintained", found.file, found.line)
        elif used.version and used.version < (1, 12, 3) and len(used.version) > 1:
            yield At(f"version {'.'.join(map(str, used.version))} can't read metadata 2.4", found.file, found.line,
                     WARNING if limited else ERROR)
