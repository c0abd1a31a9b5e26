"""Wheels that were built elsewhere, tested, rehearsed and published as the files of one release."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Severity
from labhandbook.package.distribution import read
from labhandbook.package.environments import Own
from labhandbook.package.machine import running
from labhandbook.package.project import load_project
from labhandbook.release.adopted_files import adopt, belonging
from labhandbook.release.install_tests import plan
from labhandbook.release.release_folder import State
from labhandbook.release.release_steps import open_releases, run_all, steps
from labhandbook.release.step_actions import Options
from tooling.tests.conftest import run
from tooling.tests.package import sample_dists
from tooling.tests.release.faulty_index import serving

pytestmark = pytest.mark.walk

PYTHON = f"3.{sys.version_info[1]}"
TAG = f"cp3{sys.version_info[1]}"
QUICK = ("--no-lowest", "--python", PYTHON)
HERE, MAC, OLD = (f"labdemo-1.2.0-{tag}.whl" for tag in (
    f"{TAG}-{TAG}-manylinux2014_x86_64", f"{TAG}-{TAG}-macosx_11_0_arm64", "cp38-cp38-manylinux2014_x86_64"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return sample_dists.project(tmp_path / "labdemo")


@pytest.fixture
def wheels(root: Path, tmp_path: Path) -> list[Path]:
    """Wheels for three platforms with the code of the project, each named for its own."""
    code = {path: (root / path).read_text() for path in ("labdemo/__init__.py", "labdemo/tests/test_it.py")}
    made = []
    for name in (HERE, MAC, OLD):
        tag = name.removesuffix(".whl").partition("1.2.0-")[2]
        wheel = sample_dists.wheel(tmp_path, "labdemo", "1.2.0", more={
            **code, "labdemo-1.2.0.dist-info/licenses/LICENSE": (root / "LICENSE").read_text()}, tag=tag)
        made.append(wheel)
    return made


def test_several_wheels_are_one_release(root: Path, wheels: list[Path], tmp_path: Path) -> None:
    sdist = sample_dists.sdist(tmp_path, "labdemo", "1.2.0")
    state = State(load_project(root, ask_remote=False), "1.2.0")
    releases = open_releases([state.project], Options(), files=[*wheels, sdist])
    (first,) = [result for _, result in run_all(releases, steps("build"))]
    assert first.state == "done" and state.hashes().keys() == {HERE, MAC, OLD, sdist.name}
    assert state.distributions()[0].file == sdist.name
    wheel = state.wheel()
    assert wheel is not None and wheel.file == HERE, "the one that fits this machine"
    (later,) = [result for _, result in run_all(open_releases([state.project], Options()), steps("build"))]
    assert later.state == "kept", "a later command without files builds nothing of its own"
    assert state.ledger().fact("build", "given") is True


def test_each_python_gets_the_wheel_that_fits(wheels: list[Path]) -> None:
    own = [Own("labdemo", "1.2.0", "x", path, "") for path in wheels]
    assert [trial.own[0].path for trial in plan(own, [], [running()], lowest=False)] == [wheels[0]]
    assert plan(own[1:], [], [running()], lowest=False) == []


def test_files_of_another_version_or_project_are_refused(root: Path, tmp_path: Path) -> None:
    project = load_project(root, ask_remote=False)
    with pytest.raises(HandbookError, match=r"is of version 1\.3, and this commit is 1\.2\.0"):
        belonging([sample_dists.wheel(tmp_path, "labdemo", "1.3")], project, "1.2.0")
    with pytest.raises(HandbookError, match="is of none of these projects"):
        open_releases([project], Options(), files=[sample_dists.wheel(tmp_path, "other", "1.2.0")])


@pytest.mark.parametrize(("files", "found"), [
    ({"labdemo/__init__.py": "ANSWER = 7\n"}, "labdemo/__init__.py"), ({"labdemo/_version.py": "x = 1\n"}, ""),
    ({"labdemo/made.py": "A = 1\n"}, ""),
])
def test_code_of_another_commit_is_found(root: Path, tmp_path: Path, files: dict[str, str], found: str) -> None:
    same = {"labdemo/__init__.py": (root / "labdemo/__init__.py").read_text().replace("\n", "\r\n"),
            "labdemo/tests/test_it.py": (root / "labdemo/tests/test_it.py").read_text()}
    wheel = sample_dists.wheel(tmp_path, "labdemo", "1.2.0", more={**same, **files})
    findings, facts = adopt([read(wheel)], load_project(root, ask_remote=False), tmp_path / "work")
    assert ", ".join(each.message for each in findings).endswith(found)
    assert bool(findings) is bool(found) and all(each.weight is Severity.ERROR for each in findings)
    assert (tmp_path / "work/dist" / wheel.name).exists() and facts["given"] is True


def test_the_commands_test_rehearse_and_publish_them(root: Path, wheels: list[Path]) -> None:
    paths = [str(path) for path in wheels]
    done = run("release", "test", *QUICK, *paths, cwd=root)
    assert done.returncode == 0 and "1 of 1 environments passed" in done.stderr, done.stdout + done.stderr
    rehearsed = run("release", "rehearse", "--offline", *QUICK, *paths, cwd=root)
    assert rehearsed.returncode == 0, rehearsed.stdout + rehearsed.stderr
    with serving(root.parent / "index", token=sample_dists.CANARY) as server:
        done = run("release", "publish", "--to", server.url, "--python", PYTHON, *paths, cwd=root,
                   TWINE_USERNAME="__token__", TWINE_PASSWORD=sample_dists.CANARY)
        assert done.returncode == 0, done.stdout + done.stderr
        assert set(server.store.entries) == {HERE, MAC, OLD}
    address = run("release", "test", "https://example.org/labdemo-1.2.0-py3-none-any.whl", cwd=root)
    assert address.returncode == 2 and "is an address" in address.stderr


def test_code_of_another_commit_is_not_published(root: Path, tmp_path: Path) -> None:
    wheel = sample_dists.wheel(tmp_path, "labdemo", "1.2.0", more={"labdemo/__init__.py": "ANSWER = 7\n"})
    done = run("release", "publish", "--to", "http://127.0.0.1:9", "--format", "json", str(wheel), cwd=root)
    assert done.returncode == 1 and {each["code"] for each in json.loads(done.stdout)["findings"]} == {"REL203"}
