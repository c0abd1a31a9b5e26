"""Reads what the doctor looks at: files, git, the remote, and GitHub where it answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.git import git, lines, remote_of
from labhandbook.core.github_api import repository_of
from labhandbook.github.repository import Answer, Earlier, Repository
from labhandbook.github.repository_settings import ask
from labhandbook.github.trusted_publisher import read_publisher
from labhandbook.github.upload_steps import Hosts, Sources, publications
from labhandbook.github.workflow_model import FOLDER, Workflow, read_workflow
from labhandbook.github.workflow_yaml import Unreadable, Value, read_yaml
from labhandbook.github.zizmor import audit
from labhandbook.package import index_addresses
from labhandbook.package.project import PYPROJECT, Project, load_project
from labhandbook.package.version import find_version

# A tag that names a version, with what stands before it.
VERSION_TAG = re.compile(r"(?P<before>.*?)(?P<version>\d+(?:\.\d+)+(?:[.-]?(?:a|b|rc|post|dev)\d*)*)$")
NEXT = "1.2.3"
ACTIONS = ("action.yml", "action.yaml")


def gather(start: Path, *, offline: bool = False) -> Repository:
    """The repository that a folder lies in; at most a few seconds.

    Raises HandbookError when there is no such folder, or its settings can't be used.
    """
    if not start.is_dir():
        raise HandbookError(f"{start} is no folder", todo="give the folder of a repository",
                            section="sec-actions-doctor")
    top = git(start, "rev-parse", "--show-toplevel")
    root = Path(top) if top else start.resolve()
    project = load_project(start, ask_remote=False) if (start / PYPROJECT).exists() else None
    remote = remote_of(root, git(root, "symbolic-ref", "--quiet", "--short", "HEAD")) if top else None
    slug = repository_of(git(root, "remote", "get-url", remote)) if remote else ""
    texts: dict[str, str] = {}
    too_odd: list[tuple[str, int, str]] = []
    for file in _files(root):
        try:
            texts[file] = untrusted_data.text(root / file, file)
        except HandbookError as problem:
            too_odd.append((file, untrusted_data.line_in(problem.where), problem.what))
    workflows, unreadable = _read(texts)
    unreadable += too_odd
    tag, tag_from = next_tag(project, lines(git(root, "tag", "--sort=-creatordate")) if top else [])
    sources = Sources(workflows, composites(root), slug, hosts(), tag)
    found = Repository(root, sources, Answer("it wasn't asked"), tuple(unreadable), project,
                       read_publisher(project) if project else None, _from_git(project), tag_from)
    if top:
        found = replace(found, earlier=earlier(root, sources, project), loose=_named(root, "ls-files", "--others"),
                        changed=_named(root, "diff", "--name-only", "HEAD"))
    names = {each.job.environment.text for each in found.publications}
    known = {name for name in names if name and "$" not in name}
    return replace(found, audit=audit(root, found.audited), github=ask(slug, known, offline=offline))


def _files(root: Path) -> list[str]:
    """The workflow files of a folder."""
    return sorted(path.relative_to(root).as_posix() for path in (root / FOLDER).glob("*")
                  if path.suffix in (".yml", ".yaml") and path.is_file())


def _read(texts: dict[str, str]) -> tuple[dict[str, Workflow], list[tuple[str, int, str]]]:
    """The workflows by file, and those that can't be read with line and reason."""
    workflows: dict[str, Workflow] = {}
    unreadable: list[tuple[str, int, str]] = []
    for file, data in texts.items():
        try:
            workflows[file] = read_workflow(file, data)
        except Unreadable as problem:
            unreadable.append((file, problem.line, str(problem)))
    return workflows, unreadable


def composites(root: Path) -> dict[str, tuple[str, Value]]:
    """The composite actions of a repository by folder: each file and what it holds."""
    found = {}
    for path in (path for name in ACTIONS for path in [*root.glob(name), *(root / ".github").rglob(name)]):
        try:
            body = read_yaml(untrusted_data.text(path))
        except (Unreadable, HandbookError):
            continue
        if body["runs"]["using"].word == "composite":
            file = path.relative_to(root).as_posix()
            found[file.rpartition("/")[0]] = (file, body)
    return found


def next_tag(project: Project | None, tags: Iterable[str]) -> tuple[str, str]:
    """A tag that the next version might bear, and where its form comes from.

    The form is that of the settings, else that of the newest tag that names a version, else v1.2.3.
    """
    if project and isinstance(project.get("tool", "handbook", "release", "tag"), str):
        return project.settings.tag.format(version=NEXT), f" (tag in {PYPROJECT})"
    for tag in tags:
        if match := VERSION_TAG.fullmatch(tag):
            # The same number of parts, as a pattern may count them.
            parts = match["version"].count(".") + 1
            return match["before"] + ".".join(str(number) for number in range(1, parts + 1)), f" (after {tag})"
    return f"v{NEXT}", ""


def hosts() -> Hosts:
    """The host names of the two indexes, as twine knows them; none without twine."""
    try:
        known = {name: index_addresses.index(name) for name in ("pypi", "testpypi")}
    except HandbookError:
        return Hosts()
    return Hosts(**{name: frozenset(filter(None, (urlsplit(index.upload).hostname, urlsplit(index.web).hostname)))
                    for name, index in known.items()})


def _from_git(project: Project | None) -> bool | None:
    return find_version(project).from_git if project else None


def earlier(root: Path, sources: Sources, project: Project | None) -> Earlier | None:
    """What published at the newest tag of a version that this commit comes after, or None."""
    tags = lines(git(root, "tag", "--sort=-creatordate", "--merged", "HEAD"))
    tag = next((tag for tag in tags if VERSION_TAG.fullmatch(tag)), None)
    if tag is None:
        return None
    names = [name for name in lines(git(root, "ls-tree", "-r", "--name-only", tag, "--", FOLDER))
             if name.endswith((".yml", ".yaml"))]
    texts = {name: git(root, "show", f"{tag}:{name}") or "" for name in names}
    then = replace(sources, workflows=_read(texts)[0])
    found = [each for each in publications(then) if each.by_identity and each.index != "other"]
    return Earlier(tag, frozenset((each.workflow.name, each.job.environment.text) for each in found))


def _named(root: Path, *command: str) -> frozenset[str]:
    return frozenset(lines(git(root, *command, "--", FOLDER)))
