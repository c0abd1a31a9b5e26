"""A commit between two releases goes to an index as a dev version, and to PyPI never."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.package.project import load_project
from labhandbook.release.dev_version import dev_version
from tooling.tests.conftest import LACKS, run
from tooling.tests.package import sample_packages
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.package.sample_packages import git, make, pyproject, write
from tooling.tests.release.faulty_index import Server, serving

SECRETS = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": CANARY, "NO_PROXY": "127.0.0.1"}
COMPUTED = {**pyproject("flit", ('version = "1.2.0"', 'dynamic = ["version"]')),
            "src/demo/__init__.py": '"""A demo."""\n\n__version__ = "1.2.0"\n'}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "index", token=CANARY) as running:
        yield running


def after_the_tag(folder: Path, kind: str, changes: sample_packages.Files | None = None, commits: int = 2) -> Path:
    """A package of some kind, some commits after its tag."""
    root = make(folder, kind, changes)
    for number in range(commits):
        write(root, {"notes.txt": f"{number}\n"})
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "More")
    return root


@pytest.mark.parametrize(("kind", "version", "wanted"), [
    ("setuptools-scm", "", "1.2.1.dev2"), ("hatchling", "1.2.0", "1.2.1.dev2"), ("flit", "1.3.0", "1.3.0.dev2"),
    ("pdm", "1.3.0.dev0", "1.3.0.dev2"), ("poetry", "1.3.0rc1", "1.3.0rc1.dev2"), ("uv", "1.1.0", "1.1.1.dev2")])
def test_the_version_counts_the_commits(tmp_path: Path, kind: str, version: str, wanted: str) -> None:
    root = after_the_tag(tmp_path / "demo", kind,
                         pyproject(kind, ('"1.2.0"', f'"{version}"')) if version else None)
    assert dev_version(load_project(root, ask_remote=False)) == wanted


def test_a_release_and_a_folder_without_git_have_no_dev_version(tmp_path: Path) -> None:
    root = make(tmp_path / "demo", "hatchling")
    with pytest.raises(HandbookError, match=r"the commit has the tag v1\.2\.0"):
        dev_version(load_project(root, ask_remote=False))
    shutil.rmtree(root / ".git")
    with pytest.raises(HandbookError, match="is not in git"):
        dev_version(load_project(root, ask_remote=False))


@pytest.mark.walk
@pytest.mark.parametrize(("kind", "changes"), [("setuptools-scm", None), ("hatchling", None), ("flit", COMPUTED)],
                         ids=["by-tag", "written", "computed"])
def test_a_commit_goes_to_an_index_and_is_fetched_back(tmp_path: Path, server: Server, kind: str,
                                                       changes: sample_packages.Files | None) -> None:
    if sample_packages.download("flit-core") is None:
        pytest.skip(LACKS + "the network")
    root = after_the_tag(tmp_path / "demo", kind, changes)
    before = git(root, "rev-parse", "HEAD") + git(root, "tag", "--list")
    args = ("release", "publish", root, "--dev", "--upload-only", "--to")
    done = run(*args, server.url, **SECRETS)  # type: ignore[arg-type]
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(server.uploads()) == ["demo-1.2.1.dev2-py3-none-any.whl", "demo-1.2.1.dev2.tar.gz"]
    again = run(*args, server.url, **SECRETS)  # type: ignore[arg-type]
    assert again.returncode == 0 and "(kept)" in again.stderr and len(server.uploads()) == 2, again.stderr
    assert git(root, "rev-parse", "HEAD") + git(root, "tag", "--list") == before
    assert git(root, "status", "--short", "--ignored") == ""
    refused = run(*args, "pypi", "--yes", HANDBOOK_PYPI=server.url, **SECRETS)  # type: ignore[arg-type]
    assert refused.returncode == 2 and "1.2.1.dev2 is not a release" in refused.stderr, refused.stderr
    assert len(server.uploads()) == 2


@pytest.mark.walk
def test_the_job_that_uploads_has_only_the_files(tmp_path: Path, server: Server) -> None:
    """As in dev.yml: built in one job, uploaded by the next, which checks nothing out."""
    if sample_packages.download("hatchling") is None:
        pytest.skip(LACKS + "the network")
    root = after_the_tag(tmp_path / "demo", "hatchling")
    (root / ".handbook").mkdir()
    built = run("release", "build", "--dev", root)
    assert built.returncode == 0, built.stderr
    job = shutil.copytree(root / ".handbook", tmp_path / "job" / ".handbook").parent
    of_github = {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main", "HANDBOOK_TESTPYPI": server.url,
                 "HANDBOOK_PYPI": server.url, "GITHUB_SHA": git(root, "rev-parse", "HEAD").strip(), **SECRETS}
    args = ("release", "publish", "--yes", "--upload-only", "--to")
    other = run(*args, "testpypi", cwd=job, **{**of_github, "GITHUB_SHA": "0" * 40})  # type: ignore[arg-type]
    assert other.returncode == 2 and "not from this job's commit" in other.stderr
    final = run(*args, "pypi", cwd=job, **of_github)  # type: ignore[arg-type]
    assert final.returncode == 2 and "is not a release" in final.stderr
    assert not server.uploads()
    done = run(*args, "testpypi", cwd=job, **of_github)  # type: ignore[arg-type]
    assert done.returncode == 0 and len(server.uploads()) == 2, done.stderr
