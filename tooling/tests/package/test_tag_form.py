"""The form of version tags is learnt from the tags of real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.package.project import load_project
from tooling.tests.package.sample_packages import git, write

PYPROJECT = '[project]\nname = "hatch"\nversion = "1.18.0"\n'


@pytest.mark.parametrize(("older", "here", "form"), [
    ([], [], "v{version}"), (["25.1.0"], ["26.1.0"], "{version}"), ([], ["v1.2.0"], "v{version}"),
    (["hatchling-v1.31.0", "hatch-v1.17.0"], ["hatch-v1.18.0", "hatchling-v1.32.0"], "hatch-v{version}"),
    (["0.9", "v1.0", "v1.1"], [], "v{version}"), (["v1.0.0", "v1.1.0"], ["0.10.0", "v0.10.0"], "v{version}"),
    (["hatch@7.0.3"], ["hatch@7.0.4", "v4.0.4"], "v{version}"), ([], ["data-2024.1", "1.0"], "{version}"),
    ([], ["release-1.0rc1"], "release-{version}"), ([], ["py3-ready", "stable"], "v{version}"),
    ([], ["4.16.0rc2"], "{version}"), ([], ["2.9.0.post0"], "{version}"),
])
def test_the_form_of_tags_is_learnt(older: list[str], here: list[str], form: str, tmp_path: Path) -> None:
    git(write(tmp_path, {"pyproject.toml": PYPROJECT}), "init", "--quiet")
    for number, tags in enumerate((older, here)):
        write(tmp_path, {"pyproject.toml": f"{PYPROJECT}# {number}\n"})
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "--message", "More")
        for tag in tags:
            git(tmp_path, "tag", tag)
    assert load_project(tmp_path, ask_remote=False).settings.tag == form


def test_a_setting_is_obeyed(tmp_path: Path) -> None:
    text = f'{PYPROJECT}[tool.handbook.release]\ntag = "rel/{{version}}"\n'
    git(write(tmp_path, {"pyproject.toml": text}), "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Start")
    git(tmp_path, "tag", "1.0.0")
    assert load_project(tmp_path, ask_remote=False).settings.tag == "rel/{version}"


def test_a_project_of_setup_py_alone_has_its_name(tmp_path: Path) -> None:
    write(tmp_path, {"setup.py": "from setuptools import setup\nsetup(name='old-one', version='1.0')\n"})
    assert load_project(tmp_path, ask_remote=False).name == "old-one"
