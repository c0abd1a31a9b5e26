"""Nothing is uploaded, verified or announced that was not built from the commit that is checked out."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labhandbook.package.project import load_project
from labhandbook.release.release_folder import State
from tooling.tests.conftest import run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.package.sample_packages import git
from tooling.tests.release.faulty_index import Server, serving

pytestmark = pytest.mark.long

SECRETS = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": CANARY, "NO_PROXY": "127.0.0.1"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose files were built from its tag, where anyone who can write to the folder can write."""
    root = sample_dists.project(tmp_path_factory.mktemp("built") / "labdemo")
    (root / ".handbook").mkdir()
    done = run("release", "build", root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    """A copy of it, to be attacked."""
    return shutil.copytree(built, tmp_path / "labdemo", symlinks=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "index", token=CANARY) as running:
        yield running


def secretly(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody who has a password for the index."""
    return run(*args, **{**SECRETS, **env})  # type: ignore[arg-type]


def state(root: Path) -> State:
    return State(load_project(root, ask_remote=False), "1.2.0")


def forge(root: Path, **facts: Any) -> None:
    """Put other bytes in the wheel's place, and a ledger that fits them."""
    where = state(root)
    wheel = next(where.dist.glob("*.whl"))
    sample_dists.wheel(where.dist, "labdemo", "1.2.0", more={"labdemo/evil.py": "print('evil')\n"})
    ledger = json.loads((where.folder / "ledger.json").read_text())
    entry = ledger["steps"]["build"]
    entry["facts"]["files"][wheel.name] = {"sha256": sample_dists.sha256(wheel), "size": wheel.stat().st_size}
    entry["facts"] |= facts
    (where.folder / "ledger.json").write_text(json.dumps(ledger))


def refused(root: Path, server: Server, *words: str, **env: str) -> None:
    """Every command that uses the files refuses, and no request reaches the index."""
    for command in (("publish", root, "--to", server.url, "--yes"), ("verify", root, "--from", server.url)):
        done = secretly("release", *command, **env)
        said = done.stdout + done.stderr
        assert done.returncode == 2 and "Traceback" not in said, said
        assert all(word in said for word in words), said
    assert not server.requests


def test_what_was_built_from_the_tag_goes_up(root: Path, server: Server) -> None:
    commit = git(root, "rev-parse", "HEAD").strip()
    for env in ({}, {"GITHUB_ACTIONS": "true", "GITHUB_SHA": commit, "GITHUB_REF": "refs/tags/v1.2.0"}):
        done = secretly("release", "publish", root, "--to", server.url, "--upload-only", **env)
        assert done.returncode == 0, done.stderr
    assert sorted(server.uploads()) == sorted(state(root).hashes())


def test_the_next_job_has_the_same_commit_and_the_files_of_the_build_job(root: Path, server: Server,
                                                                         tmp_path: Path) -> None:
    """As in release.yml: a new checkout of the tag, into which the artifact is unpacked."""
    git(tmp_path, "clone", "--quiet", "--branch", "v1.2.0", str(root), "job")
    shutil.copytree(root / ".handbook", tmp_path / "job" / ".handbook")
    done = secretly("release", "publish", tmp_path / "job", "--to", server.url, "--upload-only")
    assert done.returncode == 0, done.stderr


def alone(root: Path, folder: Path) -> Path:
    """A folder with nothing in it but the files and their ledger, as in the uploading jobs of release.yml."""
    shutil.copytree(root / ".handbook", folder / ".handbook")
    return folder


def test_a_job_without_the_sources_uploads_the_files_of_its_tag(root: Path, server: Server, tmp_path: Path) -> None:
    job = alone(root, tmp_path / "job")
    commit = git(root, "rev-parse", "HEAD").strip()
    done = run("release", "publish", "--to", server.url, "--upload-only", cwd=job, **SECRETS,  # type: ignore[arg-type]
               GITHUB_ACTIONS="true", GITHUB_SHA=commit, GITHUB_REF="refs/tags/v1.2.0")
    assert done.returncode == 0, done.stderr
    assert sorted(server.uploads()) == sorted(state(root).hashes())


@pytest.mark.parametrize(("variables", "said"), [
    ({"GITHUB_ACTIONS": ""}, "the sources of labdemo 1.2.0 are not here"),
    ({"GITHUB_SHA": "0" * 40}, "not from this job's commit"),
    ({"GITHUB_SHA": ""}, "the sources of labdemo 1.2.0 are not here"),
    ({"GITHUB_REF": "refs/tags/v9.9.9"}, "were not built for v9.9.9"),
    ({"GITHUB_REF": "refs/heads/v1.2.0"}, "were not built for v1.2.0"),
])
def test_a_job_without_the_sources_uploads_nothing_else(variables: dict[str, str], said: str, root: Path,
                                                        server: Server, tmp_path: Path) -> None:
    job = alone(root, tmp_path / "job")
    commit = git(root, "rev-parse", "HEAD").strip()
    given = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": commit, "GITHUB_REF": "refs/tags/v1.2.0", **variables}
    done = secretly("release", "publish", job, "--to", server.url, "--upload-only", "--yes", **given)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not server.requests


def test_a_job_without_the_sources_uploads_no_changed_file(root: Path, server: Server, tmp_path: Path) -> None:
    job = alone(root, tmp_path / "job")
    next(job.glob(".handbook/release/*/dist/*.whl")).write_bytes(b"other")
    done = secretly("release", "publish", job, "--to", server.url, "--upload-only", GITHUB_ACTIONS="true",
                    GITHUB_SHA=git(root, "rev-parse", "HEAD").strip(), GITHUB_REF="refs/tags/v1.2.0")
    assert done.returncode == 2 and "isn't the file that was built" in done.stderr, done.stderr


def test_a_tag_that_moved_to_a_new_commit(root: Path, server: Server) -> None:
    (root / "labdemo" / "more.py").write_text('"""More."""\n')
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "More")
    git(root, "tag", "--force", "v1.2.0")
    refused(root, server, "not from this commit", "rehearse")


def test_one_more_commit_after_the_tag(root: Path, server: Server) -> None:
    git(root, "commit", "--quiet", "--allow-empty", "--message", "More")
    refused(root, server, "not from this commit")


def test_a_tag_that_moved_away(root: Path, server: Server) -> None:
    git(root, "commit", "--quiet", "--allow-empty", "--message", "More")
    git(root, "tag", "--force", "v1.2.0")
    git(root, "checkout", "--quiet", "--detach", "HEAD~1")
    refused(root, server, "the tag v1.2.0 is not on this commit any more")


def test_a_ledger_of_another_tree(root: Path, server: Server) -> None:
    forge(root, tree="0" * 40)
    refused(root, server, "not from this commit")


def test_a_ledger_that_names_no_commit_or_tag(root: Path, server: Server) -> None:
    commit = state(root).ledger().fact("build", "commit")
    wrongs: list[object] = [None, "", 7, "HEAD", ["x"], {}]
    for wrong in wrongs:
        forge(root, commit=wrong)
        refused(root, server, "not from this commit")
    tagged: list[object] = [7, [7], {"v1.2.0": 1}, "v1.2.0.1", [["v1.2.0"]]]
    for tags in tagged:
        forge(root, commit=commit, tags=tags)
        refused(root, server, "is not on this commit any more")


@pytest.mark.parametrize("name", [".handbook", ".Handbook"])
def test_a_committed_folder_with_another_wheel_and_a_fitting_ledger(name: str, root: Path, server: Server,
                                                                    tmp_path: Path) -> None:
    forge(root)
    if name != ".handbook":
        (root / ".handbook").rename(root / name)
    git(root, "add", "--force", "--all")
    git(root, "commit", "--quiet", "--message", "Harmless")
    git(root, "tag", "--force", "--annotate", "v1.2.0", "--message", "v1.2.0")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(root), "clone")
    refused(clone, server, f"git tracks {name}")
    (clone / name).rename(clone / ".handbook")
    forge(clone, commit=git(clone, "rev-parse", "HEAD").strip(), tree=git(clone, "rev-parse", "HEAD^{tree}").strip())
    refused(clone, server, f"git tracks {name}")
    for command in ("rehearse", "test", "inspect", "status", "build"):
        done = run("release", command, clone)
        assert done.returncode == 2 and "git tracks" in done.stderr, (command, done.stdout, done.stderr)


def test_a_committed_link_in_the_place_of_the_folder(root: Path, server: Server, tmp_path: Path) -> None:
    (root / ".handbook").rename(root / "data")
    (root / ".handbook").symlink_to("data")
    git(root, "add", "--force", "--all")
    git(root, "commit", "--quiet", "--message", "Harmless")
    git(root, "tag", "--force", "v1.2.0")
    git(tmp_path, "clone", "--quiet", str(root), "clone")
    refused(tmp_path / "clone", server, "git tracks .handbook")


@pytest.mark.parametrize(("variables", "said"), [
    ({"GITHUB_SHA": "0" * 40}, "this job runs for another commit"),
    ({"GITHUB_REF": "refs/tags/v9.9.9"}, "the tag v9.9.9 is not on the commit"),
])
def test_a_job_for_another_commit_or_tag(variables: dict[str, str], said: str, root: Path, server: Server) -> None:
    commit = git(root, "rev-parse", "HEAD").strip()
    refused(root, server, said, **{"GITHUB_ACTIONS": "true", "GITHUB_SHA": commit, **variables})


def test_a_job_for_another_commit_announces_nothing(root: Path) -> None:
    done = run("release", "announce", root, GITHUB_ACTIONS="true", GITHUB_SHA="0" * 40, GITHUB_REPOSITORY="lab/demo",
               GITHUB_TOKEN=CANARY, GITHUB_API_URL="http://127.0.0.1:9", NO_PROXY="127.0.0.1")
    assert done.returncode == 2 and "this job runs for another commit" in done.stderr, done.stderr


def test_a_repository_that_git_can_not_read_any_more(root: Path, server: Server) -> None:
    (root / ".git" / "HEAD").write_text("nonsense\n")
    refused(root, server, "git")


def test_sources_without_git_are_published_as_they_were_built(built: Path, server: Server, tmp_path: Path) -> None:
    """An unpacked sdist: what was built from it goes up until a source changes."""
    root = shutil.copytree(built, tmp_path / "unpacked", ignore=shutil.ignore_patterns(".git", ".handbook"))
    done = run("release", "build", root)
    assert done.returncode == 0, done.stderr
    (root / "labdemo" / "more.py").write_text('"""More."""\n')
    refused(root, server, "not from these sources")
    (root / "labdemo" / "more.py").unlink()
    done = secretly("release", "publish", root, "--to", server.url, "--upload-only")
    assert done.returncode == 0, done.stderr
