"""A repository as the doctor's rules see it: workflows, git, the recorded publisher, GitHub and zizmor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from labhandbook.core.rules import Rules
from labhandbook.github.trusted_publisher import Publisher
from labhandbook.github.upload_steps import Publication, Sources, publications
from labhandbook.github.workflow_model import Job, Workflow
from labhandbook.github.zizmor import Audit
from labhandbook.package.project import PYPROJECT, Project

# The sections that teach what the rules check.
DOCTOR, SETUP, WORKFLOW = "sec-actions-doctor", "sec-pypi-trusted-setup", "sec-pypi-trusted-workflow"
LIMITS = "sec-pypi-trusted-limits"


@dataclass(frozen=True)
class Environment:
    """An environment on GitHub.

    `asks` says whether someone must approve. `admits` are the patterns of the refs that may use it, each with its
    kind ("branch" or "tag"); None where every ref may use it.
    """

    name: str
    asks: bool = False
    admits: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True)
class Answer:
    """What GitHub says of a repository, or in `problem` why it said nothing."""

    problem: str = ""
    private: bool = False
    environments: Mapping[str, Environment] = field(default_factory=dict)

    def environment(self, name: str) -> Environment | None:
        """An environment by its name; GitHub ignores case."""
        return next((found for known, found in self.environments.items() if known.lower() == name.lower()), None)


@dataclass(frozen=True)
class Earlier:
    """What published at the last version's tag: pairs of workflow file and environment."""

    tag: str
    publishers: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Repository:
    """Everything the rules look at; they read nothing themselves.

    `unreadable` are workflow files that can't be read, with line and reason. `from_git` says whether the version is
    read from the tag, None where there is no project. `tag_from` says where the first of the tags comes from, and
    `trials` are tags of pre-releases among the newest. `loose` are workflow files that git
    doesn't track, `changed` those that differ from the commit.
    """

    root: Path
    sources: Sources
    github: Answer
    unreadable: tuple[tuple[str, int, str], ...] = ()
    project: Project | None = None
    publisher: Publisher | None = None
    from_git: bool | None = None
    tag_from: str = ""
    trials: tuple[str, ...] = ()
    earlier: Earlier | None = None
    loose: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    audit: Audit = field(default_factory=Audit)

    @property
    def slug(self) -> str:
        """The repository's name on GitHub, owner/name; empty without a remote there."""
        return self.sources.slug

    @property
    def workflows(self) -> Mapping[str, Workflow]:
        """The workflows by file."""
        return self.sources.workflows

    @cached_property
    def every(self) -> list[Publication]:
        """Every upload, to whatever index."""
        return publications(self.sources)

    @cached_property
    def publications(self) -> list[Publication]:
        """The uploads to PyPI, TestPyPI, or to an index that only a run decides."""
        return [found for found in self.every if found.index != "other"]

    @cached_property
    def by_identity(self) -> list[Publication]:
        """The uploads by trusted publishing."""
        return [found for found in self.publications if found.by_identity]

    @cached_property
    def publishing(self) -> list[Workflow]:
        """The workflows of a release: those that publish, their callers, and the workflows that they call."""
        starts = [start for found in self.publications
                  for start in [found.workflow, *(caller.job.workflow for caller in found.callers)]]
        found = {workflow.file: workflow for start in starts for workflow in self.sources.reached(start)}
        return [found[file] for file in sorted(found)]

    @property
    def audited(self) -> set[str]:
        """The files that hold a part of a job which an upload depends on."""
        jobs = [job for found in self.publications for job in self.building(found)]
        steps = [step for job in jobs for step in self.sources.steps(job.steps)]
        return {job.workflow.file for job in jobs} | {step.file for step in steps}

    def building(self, publication: Publication) -> list[Job]:
        """The jobs whose results an upload takes: those it waits for, the jobs that they call, and its own."""
        found: dict[tuple[str, str], Job] = {}
        waiting = [publication.job]
        while waiting:
            job = waiting.pop()
            if (job.workflow.file, job.name) in found:
                continue
            found[job.workflow.file, job.name] = job
            waiting += job.before
            called = self.sources.called(job)
            waiting += called.jobs.values() if called else []
        return list(found.values())


# The rules of publishing workflows. `source` names the threads on GitHub in which users met what a rule finds.
WORKFLOWS: Rules[Repository] = Rules(lambda repository: PYPROJECT)
