"""Rules on the name and the version as the index sees them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from labhandbook.core.rules import ERROR, UNVERIFIED, At, unverified
from labhandbook.core.wording import listed
from labhandbook.package.name_lookup import alike
from labhandbook.package.simple_index import release_of
from labhandbook.release.project_facts import PROJECT, Facts
from labhandbook.release.release_rules.commit import tag_versions

SECTION = "sec-pypi-metadata"
LEGAL = re.compile(r"[A-Z0-9]([A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE | re.ASCII)
FORGES = ("bitbucket.org", "codeberg.org", "github.com", "gitlab.com")
REFUSED = {"requirements-txt", "rrequirements-txt", "rrequirement-txt"}


def line(facts: Facts) -> int:
    """The line of the name."""
    return facts.project.line("name", "project" if facts.project.table else "tool.poetry")


@PROJECT.rule("REL080", "The name is one that indexes accept",
      why="PyPI refuses names that don't follow its form, and names of modules of Python itself.",
      fix="Use letters, digits and single hyphens, and begin and end with a letter or digit.",
      section=SECTION)
def legal(facts: Facts) -> Iterator[At]:
    """An illegal or reserved name, or none."""
    project = facts.project
    if not project.name:
        if project.table:
            yield At("[project] has no name", line=project.line("[project]"))
    elif not LEGAL.fullmatch(project.name):
        yield At(f"{project.name!r} is not a legal name", line=line(facts))
    elif project.module in sys.stdlib_module_names:
        yield At(f"{project.name} is reserved: a module of Python has that name", line=line(facts))
    elif project.normalised in REFUSED:
        yield At(f"{project.name} is reserved: people mistype it", line=line(facts))


@PROJECT.rule("REL081", "The name is free, or it is this project's",
      why="An upload to a name that belongs to others is refused, and people may install their package instead of "
          "yours.",
      fix="Choose another name before the first release; if the project on the index is yours, give both the same "
          "[project.urls].",
      section=SECTION, asks="the index")
def free(facts: Facts) -> Iterator[At]:
    """A name that another project holds on the index."""
    project, answer = facts.project, facts.index
    if answer.problem:
        yield unverified(f"whether the name is free is unknown: {answer.problem}", line=line(facts))
        return
    if not answer.exists:
        return
    ours, theirs = _links(facts), {_bare(url) for url in answer.urls} - {""}
    evidence = (ours & theirs, _people(facts) & answer.people, {*tag_versions(project, facts.tags)} & answer.versions,
                answer.summary and answer.summary == project.table.get("description"))
    if any(evidence):
        return
    why = "its links are not this one's" if ours and theirs else "it is unknown whether it is this one"
    summary = f": {answer.summary}" if answer.summary else ""
    yield At(f"{answer.index} has a project {project.name}, and {why}{summary}", line=line(facts),
             severity=ERROR if ours and theirs else UNVERIFIED)


def _links(facts: Facts) -> set[str]:
    git = facts.project.git
    urls = [*facts.project.section("project", "urls").values(), git.url if git and git.url else ""]
    return {_bare(str(url)) for url in urls} - {""}


def _people(facts: Facts) -> set[str]:
    people = [person for key in ("authors", "maintainers") for person in facts.project.table.get(key) or ()]
    return {str(person.get("email", "")).lower() for person in people if isinstance(person, dict)} - {""}


def _bare(url: str) -> str:
    """What two addresses of one repository or page have in common."""
    short = re.sub(r"^(?:\w+://)?(?:[\w.-]+@)?(?:www\.)?", "", url.strip().lower()).replace(":", "/", 1)
    short = re.sub(r"(\.git)?/*([#?].*)?$", "", short)
    # A page of a repository belongs to it.
    host, *rest = short.split("/")
    return "/".join([host, *rest[:2]]) if host in FORGES else short


@PROJECT.rule("REL082", "The name is not too similar to another",
      why="PyPI refuses a new name that differs from another only in separators or in letters that look alike.",
      fix="Choose a name that can't be confused with the other.",
      section=SECTION, asks="the index")
def distinct(facts: Facts) -> Iterator[At]:
    """A new name that looks like another project's."""
    answer = facts.index
    if answer.problem or answer.exists:
        return
    for other in answer.similar:
        if alike(other, facts.project.name):
            yield At(f"{answer.index} has {other}, which it treats as the same name", line=line(facts))


@PROJECT.rule("REL083", "The version and its file names are unused on the index",
      why="A file name once used can't be used again, even after it was deleted there.",
      fix="Raise the version, tag it and check again. If an upload was interrupted, continue it: don't build again.",
      section="sec-pypi-upload", asks="the index")
def unused(facts: Facts) -> Iterator[At]:
    """A version that the index has already, in other files than those that were built here and partly uploaded."""
    answer, version = facts.index, facts.parsed
    if version is None:
        return
    place = facts.version.file, facts.version.line
    if answer.problem:
        yield unverified(f"whether {version} is on the index already is unknown: {answer.problem}", *place)
        return
    used = sorted(name for name in answer.files if release_of(name) == (facts.project.normalised, version))
    if used and all(answer.files[name] == facts.built.get(name) for name in used):
        return
    if used:
        yield At(f"{answer.index} has {listed(used, 3)}", *place)
    elif str(version) in answer.versions or facts.version.version in answer.versions:
        yield At(f"{answer.index} has version {version}", *place)
