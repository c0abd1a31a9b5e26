"""`handbook release doctor`: reads a repository once (files, git, GitHub, zizmor), then runs every rule on it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.git import git, lines, remote_of
from labhandbook.core.github_api import API, GitHub, repository_of
from labhandbook.core.rules import Findings
from labhandbook.core.yaml_reader import Value, read_yaml
from labhandbook.github.repository import Answer, Earlier, Environment, Repository
from labhandbook.github.trusted_publisher import read_publisher
from labhandbook.github.upload_steps import Sources, publications
from labhandbook.github.workflow_model import FOLDER, Workflow, read_workflow
from labhandbook.github.workflow_rules import WORKFLOWS
from labhandbook.github.zizmor import audit
from labhandbook.package.findings import from_here, ignored
from labhandbook.package.project import PYPROJECT, Project, load_project, normalise
from labhandbook.package.version import find_version

# A tag that names a version, with the text before it and what marks a pre-release.
VERSION_TAG = re.compile(r"(?P<before>.*?)(?P<version>\d+(?:\.\d+)+)"
                         r"(?P<trial>(?:[.-]?(?:a|alpha|b|beta|c|rc|dev|pre)[.-]?\d*)*)(?:[.-]?post\d*)?$")
NEXT = "1.2.3"
NEWEST = 10
ACTIONS = ("action.yml", "action.yaml")
SECONDS = 3.0


@dataclass(frozen=True)
class Examined:
    """The doctor's findings, and the repository that it examined."""

    findings: Findings
    repository: Repository


def examine(start: Path, *, offline: bool = False) -> Examined:
    """Examine the repository of a folder; files are named from the current folder.

    Raises HandbookError when there is nothing to examine.
    """
    repository = gather(start, offline=offline)
    found = judge(repository)
    return Examined(Findings.of((from_here(each, repository.root) for each in found), found.rules), repository)


def judge(repository: Repository) -> Findings:
    """The rules' findings, files named from the repository; those that the project ignores are marked as ignored."""
    project = repository.project
    if project is None:
        return WORKFLOWS.run(repository)
    found = WORKFLOWS.run(repository, ignored=ignored(project))
    inside = Path(os.path.relpath(project.root, repository.root), PYPROJECT).as_posix()
    return Findings.of((each.moved(inside) if each.file == PYPROJECT else each for each in found), found.rules)


def gather(start: Path, *, offline: bool = False) -> Repository:
    """The repository of a folder.

    Raises HandbookError when there is no such folder, or its settings can't be used.
    """
    if not start.is_dir():
        raise HandbookError(f"{start} is not a folder", todo="give the folder of a repository",
                            section="sec-actions-doctor")
    top = git(start, "rev-parse", "--show-toplevel")
    root = Path(top) if top else start.resolve()
    project = load_project(start, ask_remote=False) if (start / PYPROJECT).exists() else None
    remote = remote_of(root, git(root, "symbolic-ref", "--quiet", "--short", "HEAD")) if top else None
    slug = repository_of(git(root, "remote", "get-url", remote)) if remote else ""
    workflows, unreadable = workflows_of(root)
    tags, tag_from, trials = next_tags(project, lines(git(root, "tag", "--sort=-creatordate")) if top else [],
                                       workflows.values(), folders(root))
    sources = Sources(workflows, composites(root), slug, tags)
    found = Repository(root, sources, Answer("it was not asked"), tuple(unreadable), project,
                       read_publisher(project) if project else None,
                       find_version(project).from_git if project else None, tag_from, trials)
    if top:
        found = replace(found, earlier=earlier(root, sources), loose=_named(root, "ls-files", "--others"),
                        changed=_named(root, "diff", "--name-only", "HEAD"))
    names = {each.job.environment.text for each in found.publications}
    known = {name for name in names if name and "$" not in name}
    return replace(found, audit=audit(root, found.audited), github=ask(slug, known, offline=offline))


def workflows_of(root: Path) -> tuple[dict[str, Workflow], list[tuple[str, int, str]]]:
    """The workflows of a folder by file, and those that can't be read with line and reason."""
    workflows: dict[str, Workflow] = {}
    unreadable: list[tuple[str, int, str]] = []
    for path in sorted((root / FOLDER).glob("*")):
        if path.suffix in (".yml", ".yaml") and path.is_file():
            file = path.relative_to(root).as_posix()
            try:
                workflows[file] = read_workflow(file, untrusted_data.text(path, file))
            except HandbookError as problem:
                what = problem.what.removeprefix(f"{file} ")
                unreadable.append((file, untrusted_data.line_in(problem.where), what))
    return workflows, unreadable


def composites(root: Path) -> dict[str, tuple[str, Value]]:
    """The composite actions of a repository by folder: each file and its content."""
    found = {}
    for path in (path for name in ACTIONS for path in [*root.glob(name), *(root / ".github").rglob(name)]):
        file = path.relative_to(root).as_posix()
        try:
            body = read_yaml(untrusted_data.text(path), file)
        except HandbookError:
            continue
        if body["runs"]["using"].word == "composite":
            found[file.rpartition("/")[0]] = (file, body)
    return found


def next_tags(project: Project | None, tags: Iterable[str], workflows: Iterable[Workflow] = (),
              names: Collection[str] = ()) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Tags like those of the next versions, the likeliest first; where that one is from; and those of pre-releases.

    They are the newest ones of each form, because a pattern may fit no invented version. Where none has the form of
    the settings, or there is none at all, they are invented; so they are for a package in a folder of that name
    (`names`) that a workflow's pattern names before its first release.
    """
    newest = [match for tag in tags if (match := VERSION_TAG.fullmatch(tag))][:NEWEST]
    final = {match["before"]: match[0] for match in reversed(newest) if not match["trial"]}
    found = tuple(dict.fromkeys(tag for match in newest if (tag := final.get(match["before"]))))
    trials = tuple(match[0] for match in newest if match["trial"])
    if project and isinstance(project.get("tool", "handbook", "release", "tag"), str):
        before, _, after = project.settings.tag.partition("{version}")
        fitting = [tag for tag in found if tag.startswith(before) and tag.endswith(after)]
        return (*fitting, project.settings.tag.format(version=NEXT))[:1], f" (tag in {PYPROJECT})", trials
    patterns = [value.text for workflow in workflows for value in workflow.events.get("push", Value())["tags"].words]
    begun = [before for pattern in patterns if (before := re.match(r"[^*?+!\[\\]*", pattern)[0])]  # type: ignore[index]
    if found or trials:
        known = {normalise(name) for name in names}
        new = [before + NEXT for before in begun if normalise(re.sub(r"[-_./@]*v?$", "", before)) in known]
        return tuple(dict.fromkeys((*(found or trials), *new))), " (the newest)", trials if found else ()
    return (f"v{NEXT}", NEXT, *dict.fromkeys(before + NEXT for before in begun)), "", ()


def folders(root: Path) -> set[str]:
    """The names of the folders of a repository that hold a package, and of those above them."""
    found = [path.relative_to(root).parent for depth in ("*", "*/*") for path in root.glob(f"{depth}/{PYPROJECT}")]
    return {part for folder in found for part in folder.parts if not part.startswith(".")}


def earlier(root: Path, sources: Sources) -> Earlier | None:
    """What published at the newest tag of a version that this commit comes after, or None."""
    tags = lines(git(root, "tag", "--sort=-creatordate", "--merged", "HEAD"))
    tag = next((tag for tag in tags if VERSION_TAG.fullmatch(tag)), None)
    if tag is None:
        return None
    workflows = {}
    for name in lines(git(root, "ls-tree", "-r", "--name-only", tag, "--", FOLDER)):
        if name.endswith((".yml", ".yaml")):
            try:
                workflows[name] = read_workflow(name, git(root, "show", f"{tag}:{name}") or "")
            except HandbookError:
                continue
    found = [each for each in publications(replace(sources, workflows=workflows))
             if each.by_identity and each.index != "other"]
    return Earlier(tag, frozenset((each.workflow.name, each.job.environment.text) for each in found))


def _named(root: Path, *command: str) -> frozenset[str]:
    return frozenset(lines(git(root, *command, "--", FOLDER)))


def ask(slug: str, names: Iterable[str], *, offline: bool = False) -> Answer:
    """Ask GitHub whether a repository is private, and for its environments. Never raises for the network.

    GITHUB_TOKEN or GH_TOKEN is used if it is set; a public repository's environments can be read without one.
    """
    if offline:
        return Answer("GitHub was not asked, because of --offline")
    if not slug:
        return Answer("the repository has no remote on GitHub")
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN") or ""
    github = GitHub(slug, os.environ.get("GITHUB_API_URL", API).rstrip("/"), token, attempts=1, seconds=SECONDS)
    try:
        about = github.get("")
        if not isinstance(about, dict):
            return Answer(f"GitHub shows no {slug}" + ("" if token else " without a token"))
        wanted = {name.lower() for name in names}
        listed = [_environment(github, each) for each in github.every("environments", key="environments")
                  if str(each.get("name", "")).lower() in wanted]
        return Answer(private=bool(about.get("private")), environments={each.name: each for each in listed})
    except HandbookError as problem:
        return Answer(problem.what)
    except (KeyError, TypeError, ValueError) as problem:
        return Answer(f"GitHub's answer can't be read: {type(problem).__name__}")


def _environment(github: GitHub, about: dict[str, Any]) -> Environment:
    """An environment with its rules. https://docs.github.com/rest/deployments/environments"""
    rules = [rule.get("type") for rule in about.get("protection_rules") or []]
    made = Environment(str(about["name"]), asks="required_reviewers" in rules)
    policy = about.get("deployment_branch_policy")
    if not policy:
        return made
    if not policy.get("custom_branch_policies"):
        return replace(made, admits=())
    listed = github.every(f"environments/{made.name}/deployment-branch-policies", key="branch_policies")
    return replace(made, admits=tuple((str(each["name"]), str(each.get("type", "branch"))) for each in listed))
