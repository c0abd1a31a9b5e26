"""What git says of a commit, asked of real repositories."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from labhandbook.core.git import GitState, git, read_git, read_remote_tags, tracked_files
from tooling.tests.package.sample_packages import git as run_git
from tooling.tests.package.sample_packages import make


def state(root: Path) -> GitState:
    found = read_git(root)
    assert found is not None
    return found


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return make(tmp_path / "package")


@pytest.fixture
def cloned(package: Path, tmp_path: Path) -> Path:
    """A clone of the package, with the package as its remote."""
    run_git(tmp_path, "clone", "--quiet", str(package), "clone")
    return tmp_path / "clone"


def test_a_tagged_commit(package: Path) -> None:
    found = state(package)
    assert found.commit == run_git(package, "rev-parse", "HEAD").strip()
    assert found.epoch == 1767323045
    assert found.tags == ("v1.2.0",)
    assert (found.branch, found.default_branch, found.on_default) == ("main", "main", True)
    assert (found.dirty, found.shallow, found.remote, found.remote_tags) == ((), False, None, None)


def test_a_folder_below_the_repository(package: Path) -> None:
    (package / "packages/other").mkdir(parents=True)
    assert read_git(package / "packages/other") is None, "git tracks no pyproject.toml there"
    (package / "packages/other/pyproject.toml").write_text("")
    assert state(package).dirty == ("packages/other/pyproject.toml",)
    run_git(package, "add", "--all")
    assert state(package / "packages/other").root == package


def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    assert read_git(tmp_path) is None
    run_git(tmp_path, "init", "--quiet")
    (tmp_path / "pyproject.toml").write_text("")
    assert read_git(tmp_path) is None
    assert tracked_files(tmp_path) is None


def test_changed_renamed_and_new_files(package: Path) -> None:
    (package / "README.md").write_text("Other.\n")
    (package / "näw file.txt").write_text("x")
    run_git(package, "mv", "LICENSE", "COPYING")
    assert state(package).dirty == ("COPYING", "README.md", "näw file.txt")


def test_light_and_annotated_tags(package: Path) -> None:
    run_git(package, "tag", "light")
    assert state(package).tags == ("light", "v1.2.0")


def test_a_branch_beside_the_default(cloned: Path) -> None:
    assert state(cloned).on_default is True
    run_git(cloned, "switch", "--quiet", "--create", "topic")
    assert (state(cloned).branch, state(cloned).on_default) == ("topic", True)
    run_git(cloned, "commit", "--quiet", "--allow-empty", "--message", "Aside")
    found = state(cloned)
    assert (found.default_branch, found.on_default) == ("main", False)
    run_git(cloned, "switch", "--quiet", "--detach", "v1.2.0")
    assert (state(cloned).branch, state(cloned).on_default) == (None, True)


def test_tags_of_the_remote(cloned: Path, package: Path) -> None:
    found = state(cloned)
    assert (found.remote, found.url) == ("origin", str(package))
    assert found.remote_tags == {"v1.2.0": found.commit}
    run_git(cloned, "tag", "--annotate", "v1.3.0", "--message", "More")
    assert set(state(cloned).remote_tags or ()) == {"v1.2.0"}
    asked_nobody = read_git(cloned, ask_remote=False)
    assert asked_nobody is not None and asked_nobody.remote_tags is None


def test_a_remote_that_is_gone(cloned: Path) -> None:
    run_git(cloned, "remote", "set-url", "origin", str(cloned / "nowhere"))
    found = state(cloned)
    assert (found.remote, found.remote_tags) == ("origin", None)


def test_a_remote_that_is_silent_costs_its_time_and_no_more(cloned: Path) -> None:
    run_git(cloned, "remote", "set-url", "origin", "ext::sleep 30")
    run_git(cloned, "config", "protocol.ext.allow", "always")
    begin = time.monotonic()
    found = read_git(cloned, ask_remote=False)
    assert found is not None and read_remote_tags(found, timeout=0.5) is None
    assert time.monotonic() - begin < 20, "it did not wait for the end of the silence"


def test_a_shallow_clone(package: Path, tmp_path: Path) -> None:
    run_git(package, "commit", "--quiet", "--allow-empty", "--message", "Next")
    run_git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{package}", "shallow")
    assert state(tmp_path / "shallow").shallow is True


def test_tracked_files_are_relative_and_there(package: Path) -> None:
    (package / "README.md").unlink()
    found = tracked_files(package / "src")
    assert found is not None and "demo/cli.py" in found
    assert "README.md" not in (tracked_files(package) or ())


def test_a_command_that_fails_is_none(package: Path) -> None:
    assert git(package, "no-such-command") is None
    assert git(package / "nowhere", "status") is None
