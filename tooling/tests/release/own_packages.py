"""This repository's own packages, made ready to be released."""

from __future__ import annotations

import re
from pathlib import Path

from tooling.tests.github.pipeline import handbook_as_fetched
from tooling.tests.package.sample_packages import git

VERSION = "0.1.0"
# Of each project's tests the module that runs in its trials: whole suites take minutes in each of four environments.
QUICK = {"driving": "test_driving_replay.py", "selfplay": "test_selfplay_games.py", "eras": "test_eras_scores.py",
         "phrases": "test_phrases_package.py", "gp": "test_gp_regression.py", "bo": "test_bo.py"}


def ready(folder: Path, *tags: str) -> Path:
    """A repository of one commit with the files of this working tree, whose packages can be released as VERSION.

    Their change logs have its date, and their trials run the quickest of their tests. `tags` are on the commit.
    """
    handbook_as_fetched(folder)
    pyproject, tests = folder / "pyproject.toml", "{root}/tooling/tests/"
    text = re.sub(rf'(\n    "{tests}[^]]*)]', f'\n    "{tests}core/test_report.py"\n]', pyproject.read_text())
    assert text.count(tests) == 1
    pyproject.write_text(text)
    date(folder / "CHANGELOG.md", "## Unreleased")
    for name, module in QUICK.items():
        project = folder / "chapters/research" / name
        assert (project / "tests" / module).exists()
        with (project / "pyproject.toml").open("a") as stream:  # Its last table is [tool.handbook.release].
            stream.write('test-command = ["pytest", "--config-file={root}/pyproject.toml", "--rootdir={root}", '
                         f'"{{root}}/tests/{module}"]\n')
        date(project / "CHANGELOG.md", f"## {VERSION} (not released)")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Everything")
    for tag in tags:
        git(folder, "tag", "--annotate", tag, "--message", tag)
    return folder


def date(changelog: Path, heading: str) -> None:
    """Turn the heading of what is to be released into that of a release."""
    text = changelog.read_text()
    assert heading in text
    changelog.write_text(text.replace(heading, f"## {VERSION} - 2026-11-22"))
