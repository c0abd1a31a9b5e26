"""A repository in memory to which the doctor has nothing to say, and ways to make it worse."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from labhandbook.core.rules import Severity
from labhandbook.core.untrusted_data import Unreadable
from labhandbook.core.yaml_reader import Value, read_yaml
from labhandbook.github.doctor import next_tags
from labhandbook.github.repository import Answer, Earlier, Environment, Repository
from labhandbook.github.trusted_publisher import read_publisher
from labhandbook.github.upload_steps import Sources, hosts
from labhandbook.github.workflow_model import Workflow, read_workflow
from labhandbook.package.project import PYPROJECT as PYPROJECT_FILE
from labhandbook.package.project import Project, read_settings
from tooling.tests.release.rule_cases import SCM

ERROR, WARNING, UNVERIFIED = Severity.ERROR, Severity.WARNING, Severity.UNVERIFIED
FOLDER = ".github/workflows"
RELEASE, BUILD, TEST = (f"{FOLDER}/{name}.yml" for name in ("release", "build", "test"))
PIN = "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
TESTPYPI = f"https://{min(filter(None, hosts()['testpypi']))}/legacy/"

GOOD = f"""\
name: release

on:
  push:
    tags: ["v*"]

permissions: {{}}

concurrency:
  group: release-${{{{ github.ref }}}}
  cancel-in-progress: false

jobs:
  build:
    runs-on: ubuntu-latest
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@{PIN}
        with:
          fetch-depth: 0
          persist-credentials: false
      - run: |
          python -m pip install build
          python -m build
      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
        with:
          name: dist
          path: dist/

  testpypi:
    needs: build
    runs-on: ubuntu-latest
    environment: testpypi
    permissions:
      id-token: write
    steps:
      - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1
        with:
          name: dist
          path: dist/
      - uses: pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2
        with:
          repository-url: {TESTPYPI}

  pypi:
    needs: testpypi
    runs-on: ubuntu-latest
    environment:
      name: pypi
      url: https://example.org/demo-tool
    permissions:
      id-token: write
    steps:
      - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1
        with:
          name: dist
          path: dist/
      - name: Publish
        uses: pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2

  announce:
    needs: pypi
    runs-on: ubuntu-latest
    permissions:
      contents: write
    steps:
      - run: gh release create "$GITHUB_REF_NAME" --verify-tag
        env:
          GH_TOKEN: ${{{{ github.token }}}}
          GH_REPO: ${{{{ github.repository }}}}
"""
# The same by twine, as the chapter prints it.
UPLOAD = GOOD[GOOD.index("      - name: Publish\n"):GOOD.index("\n  announce:")]
TWINE = GOOD.replace(UPLOAD, """\
      - run: |
          python -m pypi_attestations sign dist/*
          twine upload --non-interactive \\
            --attestations dist/*
""")
PYPROJECT = SCM + """
[tool.handbook.release.publisher]
repository = "group/demo-tool"
workflow = "release.yml"
environments = { testpypi = "testpypi", pypi = "pypi" }
"""
GITHUB = Answer(environments={"pypi": Environment("pypi", asks=True, admits=(("v*", "tag"), ("main", "branch"))),
                              "testpypi": Environment("testpypi")})
SILENT = Answer("GitHub can't be reached")


@dataclass(frozen=True)
class Seeded(Repository):
    """A repository that remembers the texts that it was made of, by file."""

    texts: Mapping[str, str] = field(default_factory=dict)


def change(*pairs: tuple[str, str], text: str = GOOD) -> str:
    """A workflow with replacements, each of which must apply once or more."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def after(marker: str, text: str, inside: str = GOOD) -> str:
    """A workflow with a text behind the first occurrence of a marker."""
    assert marker in inside, marker
    return inside.replace(marker, marker + text, 1)


def repo(text: str = GOOD, *, others: dict[str, str] | None = None, pyproject: str | None = PYPROJECT,
               github: Answer = GITHUB, tags: tuple[str, ...] = ("v1.1.0",), slug: str = "group/demo-tool",
               composites: dict[str, str] | None = None, earlier: Earlier | None = None,
               folders: Collection[str] = (), **changes: Any) -> Seeded:
    """A repository with this release workflow, and `others` by file; `composites` are actions by folder."""
    workflows: dict[str, Workflow] = {}
    unreadable = []
    for file, body in ({RELEASE: text} | (others or {})).items():
        try:
            workflows[file] = read_workflow(file, body)
        except Unreadable as problem:
            unreadable.append((file, problem.line, problem.problem))
    project = None
    if pyproject is not None:
        project = Project(Path("demo-tool"), tomllib.loads(pyproject), pyproject, None)
        project = replace(project, settings=read_settings(project))
    likely, tag_from, trials = next_tags(project, tags, workflows.values(), folders)
    actions: dict[str, tuple[str, Value]] = {folder: (f"{folder}/action.yml", read_yaml(body, folder))
                                             for folder, body in (composites or {}).items()}
    sources = Sources(workflows, actions, slug, likely)
    from_git = None if project is None else "dynamic" in project.table
    texts = {RELEASE: text, PYPROJECT_FILE: pyproject or "", **(others or {}),
             **{f"{folder}/action.yml": body for folder, body in (composites or {}).items()}}
    made = Seeded(Path("demo-tool"), sources, github, tuple(unreadable), project,
                  read_publisher(project) if project else None, from_git, tag_from, trials, earlier, texts=texts)
    return replace(made, **changes)


def made(*pairs: tuple[str, str], text: str = GOOD, **options: Any) -> Seeded:
    """A repository whose release workflow is a good one with replacements."""
    return repo(change(*pairs, text=text), **options)


@dataclass(frozen=True)
class Case:
    """A seeded defect, the file and the text of the line that are blamed, words of the finding and its weight.

    `miss` comes near to it and is right.
    """

    bad: Seeded
    line: str
    says: str
    miss: Seeded
    weight: Severity = ERROR
    file: str = RELEASE

    def text(self, line: int) -> str:
        """A line of the file that is blamed; empty for the whole file."""
        return "" if line == 0 else self.bad.texts[self.file].splitlines()[line - 1]
