"""A new package passes every rule and its own rehearsal, and overwrites nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Severity
from labhandbook.package.project import load_project
from labhandbook.release.check_project import check_loaded
from labhandbook.release.new_package import Answers, floor, new
from tooling.tests.conftest import run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_packages import git
from tooling.tests.release.test_rehearsal import QUICK

pytestmark = pytest.mark.walk

PERSON = ("--author", "A Person", "--email", "a.person@example.org", "--description", "Means of numbers.")


def start(folder: Path) -> Path:
    done = run("release", "new", folder, *PERSON)
    assert done.returncode == 0, done.stderr
    git(folder, "init", "--quiet")
    sample_dists.commit(folder, "v0.1.0")
    return folder


def test_a_new_package_passes_every_rule_and_its_rehearsal(tmp_path: Path) -> None:
    root = start(tmp_path / "lab-means")
    findings = check_loaded(load_project(root, ask_remote=False), offline=True)
    # Without a network and a remote, rules that need them can't look; nothing else is found.
    assert {finding.weight for finding in findings} <= {Severity.UNVERIFIED}, findings
    done = run("release", "rehearse", root, *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 tests passed" in done.stderr
    assert "warning" not in done.stdout and "error" not in done.stdout, done.stdout


def test_its_code_is_clean(tmp_path: Path) -> None:
    root = start(tmp_path / "lab-means")
    for command in (["ruff", "check", "--select", "E,F,W,I,B,UP,D1", "."],
                    ["mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "src"]):
        done = subprocess.run([Path(sys.executable).with_name(command[0]), *command[1:]], cwd=root, text=True,
                              capture_output=True, check=False, env={"PATH": "/usr/bin:/bin", "MYPYPATH": "src"})
        assert done.returncode == 0, done.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    root = tmp_path / "lab-means"
    root.mkdir()
    (root / "README.md").write_text("mine")
    with pytest.raises(HandbookError, match=r"README\.md"):
        new(root, Answers("lab-means"))
    assert [path.name for path in root.iterdir()] == ["README.md"] and (root / "README.md").read_text() == "mine"
    (tmp_path / "file").touch()
    with pytest.raises(HandbookError):
        new(tmp_path / "file", Answers("lab-means"))


@pytest.mark.parametrize("name", ["", "-x", "1st", "class", "a b", "../evil", "ä"])
def test_names_that_can_not_be(name: str, tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match="can't be the name"):
        new(tmp_path / "x", Answers(name))
    assert not list(tmp_path.iterdir())


def test_words_that_would_break_a_file(tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match="quotation mark"):
        new(tmp_path / "x", Answers("lab-means", description='A "good" one.'))


def test_the_floor_moves_with_time() -> None:
    assert floor(date(2026, 11, 22)) == "3.11" and floor(date(2027, 11, 1)) == "3.12"
