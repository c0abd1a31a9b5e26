"""Workflows use actions by the commits of one table, and install nothing but what the lock files name."""

from __future__ import annotations

import re
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest
import setuptools_scm
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from labhandbook.github.release_workflow import actions
from tooling.tests.conftest import ROOT
from tooling.tests.github.act_runner import PROGRAMS, load
from tooling.tests.package.sample_packages import git

FILES = sorted([*(ROOT / ".github" / "workflows").glob("*.yml"),
                *(ROOT / ".github" / "actions").glob("*/action.yml"),
                ROOT / "tooling/tests/github/test_act.py"])
LOCKS = {"release": ("release",), "recipe": ("release", "recipe"), "site": ("release", "render", "check")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_actions_are_those_of_the_table(path: Path) -> None:
    known = set(actions().values())
    for used in re.findall(r"^ +(?:- )?uses: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
        # An action may lie in a folder of its repository; this repository's own are those of the commit that runs.
        action = re.sub(r"^([\w.-]+/[\w.-]+)/[^@]+@", r"\1@", used)
        assert action in known or used.startswith("$/.github/"), f"{used} isn't in actions.toml"


def test_the_chapters_print_the_same_commits() -> None:
    said = yaml.safe_load((ROOT / "chapters/packaging/tools.yml").read_text(encoding="utf-8"))["actions"]
    for name, entry in said.items():
        if isinstance(entry, dict):
            assert actions()[f"actions/{name}"] == f"actions/{name}@{entry['commit']} # {entry['tag']}"


def test_the_site_is_made_and_tested_with_the_quarto_of_the_facts() -> None:
    said = yaml.safe_load((ROOT / "chapters/packaging/tools.yml").read_text(encoding="utf-8"))["quarto"]["seen"]
    for name, job in (("site", "build"), ("check", "quarto")):
        steps = load(ROOT / f".github/workflows/{name}.yml")["jobs"][job]["steps"]
        assert [step["with"]["version"] for step in steps
                if "quarto-actions/setup@" in step.get("uses", "")] == [said]


@pytest.mark.parametrize("command", [["zizmor", "--offline", "--quiet", "--persona", "auditor", ".github"],
                                     ["jactionlint"]], ids=lambda command: command[0])
def test_linters_of_workflows_find_nothing(command: list[str]) -> None:
    """They read every workflow and composite action; both are wheels and use no network."""
    done = subprocess.run([PROGRAMS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_locked_by_hash(name: str) -> None:
    """The lock files hold what pyproject.toml asks for; `.github/actions/handbook/lock` writes them."""
    text = (ROOT / ".github/actions/handbook" / f"{name}.txt").read_text(encoding="utf-8")
    locked: dict[str, str] = {}
    for entry in re.split(r"\n(?=[a-z0-9])", text.partition("\n")[2]):
        found = re.match(r"([a-z0-9._-]+)==([^ ;]+)", entry)
        assert found and "--hash=sha256:" in entry, entry
        locked[found[1]] = found[2]
    assert "://" not in text
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*about["dependencies"], *(line for extra in LOCKS[name]
                                       for line in about["optional-dependencies"][extra]),
             "pypi-attestations", "setuptools>=80", "setuptools-scm>=8", "uv"]
    for requirement in map(Requirement, asked):
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} but {version}; run the lock script"


def test_an_archive_of_a_tag_has_its_version(tmp_path: Path) -> None:
    """GitHub hands actions over as archives without history; setuptools-scm reads the version from one file in it."""
    git(tmp_path, "clone", "--quiet", "--shared", str(ROOT), "clone")
    git(tmp_path / "clone", "tag", "--annotate", "v9.8.7", "--message", "9.8.7")
    git(tmp_path / "clone", "archive", "--output", str(tmp_path / "archive.tar"), "v9.8.7")
    with tarfile.open(tmp_path / "archive.tar") as archive:
        archive.extractall(tmp_path / "fetched", filter="data")
    assert setuptools_scm.get_version(tmp_path / "fetched") == "9.8.7"
