"""For every rule on sources, git and metadata: a project with a seeded defect, and one that just misses it.

The projects are built in memory around one that no rule objects to.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from labhandbook.core.git import GitState
from labhandbook.core.rules import Severity
from labhandbook.package.name_lookup import Answer
from labhandbook.package.project import Project, read_settings
from labhandbook.package.version import FoundVersion, find_version
from labhandbook.release.project_facts import Facts

GOOD = """\
[build-system]
requires = ["setuptools>=77.0.3"]
build-backend = "setuptools.build_meta"

[project]
name = "demo-tool"
version = "1.2.0"
description = "A tool."
readme = "README.md"
requires-python = ">=3.11"
license = "MIT"
license-files = ["LICENSE"]
classifiers = [
    "Programming Language :: Python :: 3.11",
    "Typing :: Typed",
]
dependencies = [
    "numpy>=1.26",
]

[project.optional-dependencies]
test = ["pytest>=8"]

[project.urls]
Source = "https://example.org/group/demo-tool"

[tool.setuptools.packages.find]
include = ["demo_tool", "demo_tool.*"]
"""
SCM = GOOD.replace('version = "1.2.0"', 'dynamic = ["version"]').replace(
    '["setuptools>=77.0.3"]', '["setuptools>=77.0.3", "setuptools-scm>=8"]') + "\n[tool.setuptools_scm]\n"
HATCH = GOOD.replace("setuptools>=77.0.3", "hatchling>=1.27").replace("setuptools.build_meta", "hatchling.build")
TREE = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "demo_tool/__init__.py", "demo_tool/core.py",
        "demo_tool/sub/__init__.py", "tests/test_core.py")
README = """\
# Demo

![A figure](https://example.org/figure.svg)

See the [manual](https://example.org) or [above](#demo).
"""
CHANGELOG = "# Changelog\n\n## Unreleased\n\n## [1.2.0] - 2026-01-02\n\n- Better.\n\n## 1.1.0\n"
DYNAMIC = 'dynamic = ["version"]'
STATIC = 'version = "1.2.0"'
LICENCE = 'license = "MIT"\nlicense-files = ["LICENSE"]\n'
DEPENDENCY = '"numpy>=1.26"'
FIND = '[tool.setuptools.packages.find]\ninclude = ["demo_tool", "demo_tool.*"]\n'
IGNORE = '\n[tool.handbook.release.ignore]\n'
NO_VERSION = FoundVersion(None, "setuptools-scm", problem="no tag was found")
RST = "Demo\n====\n\nSee the `manual <https://example.org>`_.\n"
COMMIT = "c0ffee" + "0" * 34
GIT = GitState(Path("demo-tool"), COMMIT, 1, ("v1.2.0",), "main", "main", True, (), False, "origin",
               "git@example.org:group/demo-tool.git", {"v1.2.0": COMMIT})
FREE = Answer("pypi")
TAKEN = Answer("pypi", exists=True, versions=frozenset({"1.1.0"}), files={"demo_tool-1.1.0.tar.gz": ""},
               urls=frozenset({"https://example.org/group/demo-tool.git"}))
OFFLINE = Answer("pypi", "pypi does not answer: timed out")
TODAY = date(2026, 11, 22)
ERROR, WARNING, UNVERIFIED = Severity.ERROR, Severity.WARNING, Severity.UNVERIFIED


def change(*pairs: tuple[str, str], text: str = GOOD) -> str:
    """A `pyproject.toml` with replacements, each of which must apply."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def facts(text: str = GOOD, *, git: GitState | None = GIT, version: str | FoundVersion | None = None,
          index: Answer = FREE, files: tuple[str, ...] = TREE, texts: dict[str, str] | None = None,
          loose: tuple[str, ...] = (), tags: tuple[str, ...] = ("v1.1.0", "v1.2.0"), today: date = TODAY,
          built: dict[str, str] | None = None) -> Facts:
    """A project in memory. `texts` replace or add the text of files; a version in words is read from the tag."""
    project = Project(Path("demo-tool"), tomllib.loads(text), text, git)
    project = replace(project, settings=read_settings(project))
    found = FoundVersion(version, "setuptools-scm") if isinstance(version, str) else version or find_version(project)
    every = {"README.md": README, "CHANGELOG.md": CHANGELOG, "demo_tool/__init__.py": "", **(texts or {})}
    return Facts(project, found, index, today, frozenset(files) | frozenset(texts or ()), frozenset(loose), every,
                 frozenset(tags), built or {})


def backend_asked(known: Facts, *requires: str) -> Facts:
    """The same project after the build backend was asked for its metadata."""
    vars(known.project)["built"] = {"name": "demo-tool", "version": "1.2.0", "requires": list(requires)}
    return known


def fetched(known: Facts) -> Facts:
    """The same project in a job that fetched its built files."""
    vars(known.project)["state"] = known.project.root / ".handbook" / "release"
    return replace(known, built={"demo.tar.gz": ""})


def git(**changes: Any) -> GitState:
    """The good commit with changes."""
    return replace(GIT, **changes)


def without(*names: str) -> tuple[str, ...]:
    """The good tree without some files."""
    assert set(names) <= set(TREE)
    return tuple(name for name in TREE if name not in names)


def dependency(text: str) -> str:
    """The good project with another dependency."""
    return change((DEPENDENCY, f'"{text}"'))


def packages(text: str) -> str:
    """The good project with another choice of packages."""
    return change((FIND, text))


def python(text: str) -> str:
    """The good project with another requires-python."""
    return change(('">=3.11"', f'"{text}"'), ('    "Programming Language :: Python :: 3.11",\n', ""))


def flit(text: str) -> str:
    """The good project built by flit, with more tables."""
    return change(("setuptools>=77.0.3", "flit-core>=3.12"), ("setuptools.build_meta", "flit_core.buildapi"),
                  (FIND, text))


def readme(text: str, name: str = "README.md") -> Facts:
    """The good project with another README."""
    return facts(change(("README.md", name)), texts={name: text})


@dataclass(frozen=True)
class Case:
    """A seeded defect, words of the finding that it must cause and its weight, and a near miss without one."""

    bad: Facts
    says: str
    miss: Facts
    weight: Severity = ERROR
