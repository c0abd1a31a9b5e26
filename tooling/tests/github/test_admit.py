"""A tag is admitted only where version, clone, branch and every check of its commit say so."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.core.github_api import GitHub, open_github, repository_of
from labhandbook.github.admit import admit, judge
from labhandbook.package.project import load_project
from tooling.tests.conftest import run
from tooling.tests.github import fake_github
from tooling.tests.package.sample_packages import git, make
from tooling.tests.release.packaging_chapter import FROM_ACTIONS, printed_words

TOKEN = "ghs_" + "t" * 20


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a repository that has the tag v1.2.0 on its main branch."""
    make(tmp_path / "work")
    git(tmp_path, "clone", "--quiet", "--bare", str(tmp_path / "work"), "remote.git")
    git(tmp_path, "clone", "--quiet", str(tmp_path / "remote.git"), "clone")
    return tmp_path / "clone"


@pytest.fixture
def server(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_github.Server]:
    """GitHub with that repository, a green run on its commit, and the variables of a job."""
    state = fake_github.State("lab/demo", clone.parent / "remote.git", TOKEN)
    state.run(".github/workflows/tests.yml", "success")
    with fake_github.serving(state, page=2) as running:
        for name, value in {"GITHUB_API_URL": running.url, "GITHUB_REPOSITORY": "lab/demo", "GITHUB_TOKEN": TOKEN,
                            "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.2.0", "NO_PROXY": "127.0.0.1",
                            "GITHUB_WORKFLOW_REF": "lab/demo/.github/workflows/release.yml@refs/tags/v1.2.0"}.items():
            monkeypatch.setenv(name, value)
        yield running


def found(clone: Path, server: fake_github.Server, patience: float = 0.0) -> dict[str, str]:
    """The codes and messages of the findings on the tag."""
    project = load_project(clone, ask_remote=False)
    asked = admit(project, patience=patience, github=GitHub("lab/demo", server.url, TOKEN, pause=0.05))
    return {finding.rule.code: finding.message for finding in judge(asked)}


def test_a_good_tag_is_admitted(clone: Path, server: fake_github.Server) -> None:
    state = server.state
    # Of each workflow the last run counts, of this one and of what runs weekly none; there are several pages.
    state.run(".github/workflows/tests.yml", "failure", number=1)
    state.run(".github/workflows/release.yml", "failure", number=901)
    state.run(".github/workflows/docs.yml", "skipped", number=902)
    state.run("dynamic/pages", "success", number=903)
    state.run(".github/workflows/links.yml", "failure", number=904)["event"] = "schedule"
    state.checks.append({"name": "old tests", "status": "completed", "conclusion": "failure", "html_url": "",
                         "app": {"slug": "github-actions"}})
    state.checks.append({"name": "codecov", "status": "completed", "conclusion": "neutral", "html_url": "",
                         "app": {"slug": "codecov"}})
    state.statuses.append({"context": "readthedocs", "state": "success", "target_url": None})
    assert found(clone, server) == {}
    done = run(*printed_words(FROM_ACTIONS, "handbook release admit"), cwd=clone)
    assert done.returncode == 0, done.stderr
    assert "v1.2.0 is" in done.stderr and "tests.yml" in done.stderr and "codecov" in done.stderr


def test_a_wrong_tag_is_refused(clone: Path, server: fake_github.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REF_NAME", "v1.3.0")
    assert found(clone, server) == {"REL013": "the tag is v1.3.0, the version is 1.2.0, whose tag is v1.2.0"}
    done = run("release", "admit", clone, "--format", "json")
    assert done.returncode == 1 and '"REL013"' in done.stdout


def test_a_shallow_clone_is_refused(clone: Path, server: fake_github.Server, tmp_path: Path) -> None:
    remote = (tmp_path / "remote.git").as_uri()
    git(tmp_path, "clone", "--quiet", "--depth", "1", "--branch", "v1.2.0", remote, "part")
    assert found(tmp_path / "part", server)["REL012"] == "the clone is shallow"


def test_a_commit_off_the_main_branch_is_refused(clone: Path, server: fake_github.Server) -> None:
    git(clone, "tag", "--delete", "v1.2.0")
    git(clone, "checkout", "--quiet", "-b", "side")
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "Aside")
    git(clone, "tag", "--annotate", "v1.2.0", "--message", "1.2.0")
    sha = git(clone, "rev-parse", "HEAD").strip()
    server.state.run(".github/workflows/tests.yml", "success", sha=sha)
    assert found(clone, server) == {"REL015": f"main does not hold {sha[:10]}"}


@pytest.mark.parametrize(("path", "name"), [("runs", "tests.yml"), ("checks", "codecov"),
                                            ("statuses", "readthedocs")])
def test_a_red_check_is_named(path: str, name: str, clone: Path, server: fake_github.Server) -> None:
    state = server.state
    if path == "runs":
        state.run(".github/workflows/tests.yml", "cancelled", number=900)
    elif path == "checks":
        state.checks.append({"name": "codecov", "status": "completed", "conclusion": "failure",
                             "html_url": "https://example.org/1", "app": {"slug": "codecov"}})
    else:
        state.statuses.append({"context": "readthedocs", "state": "error", "target_url": None})
    (message,) = found(clone, server).values()
    assert message.startswith(f"{name} ended with ")


def test_a_commit_that_nobody_checked_is_refused(clone: Path, server: fake_github.Server) -> None:
    server.state.runs.clear()
    assert "no check has run" in found(clone, server)["REL401"]
    pyproject = clone / "pyproject.toml"
    reason = '\n[tool.handbook.release.ignore]\nREL401 = "it has no checks yet"\n'
    pyproject.write_text(pyproject.read_text() + reason)
    done = run("release", "admit", clone)
    assert done.returncode == 0 and "ignored: it has no checks yet" in done.stdout


def test_a_check_that_runs_is_waited_for(clone: Path, server: fake_github.Server) -> None:
    running = server.state.run(".github/workflows/docs.yml", None, number=900)
    assert "docs.yml is still running" in found(clone, server)["REL401"]

    def look(line: str) -> None:
        assert "waiting for docs.yml" in line
        running.update(status="completed", conclusion="success")

    project = load_project(clone, ask_remote=False)
    asked = admit(project, patience=60, github=GitHub("lab/demo", server.url, TOKEN, pause=0.05), say=look)
    assert not list(judge(asked))


@pytest.mark.parametrize(("fault", "said", "todo"), [
    (fake_github.Fault("GET", "/actions/runs", status=403), "GitHub refuses GET", "actions: read"),
    (fake_github.Fault("GET", "/check-runs", status=403), "may not do this", "checks: read"),
    (fake_github.Fault("GET", "/status", status=403), "may not do this", "statuses: read"),
    (fake_github.Fault("GET", "", status=401), "the token isn't valid", "GITHUB_TOKEN"),
    (fake_github.Fault("GET", "", status=503, times=9), "did not answer as expected: it answers 503",
     "run the job again"),
])
def test_a_refusal_of_github_is_reported(fault: fake_github.Fault, said: str, todo: str, clone: Path,
                                     server: fake_github.Server) -> None:
    server.state.faults.append(fault)
    with pytest.raises(HandbookError) as caught:
        found(clone, server)
    assert said in f"{caught.value.what} {caught.value.why}" and todo in caught.value.todo
    assert TOKEN not in str(vars(caught.value))


def test_an_error_that_passes_is_waited_out(clone: Path, server: fake_github.Server) -> None:
    server.state.faults.append(fake_github.Fault("GET", "/actions/runs", status=502, times=2))
    assert found(clone, server) == {}


@pytest.mark.parametrize(("url", "name"), [
    ("https://github.com/lab/demo.git", "lab/demo"), ("git@github.com:lab/demo.git", "lab/demo"),
    ("ssh://git@github.com/lab/d.e-m_o", "lab/d.e-m_o"), ("https://www.github.com/lab/demo/", "lab/demo"),
    ("https://gitlab.com/lab/demo", ""), ("https://notgithub.com/lab/demo", ""), (None, "")])
def test_the_repository_of_a_remote(url: str | None, name: str) -> None:
    assert repository_of(url) == name


def test_without_a_repository_it_is_asked_for(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    with pytest.raises(HandbookError, match="the repository on GitHub is not known"):
        open_github(load_project(clone, ask_remote=False).git)
    subprocess.run(["git", "tag", "--delete", "v1.2.0"], cwd=clone, check=True, capture_output=True)
    done = run("release", "admit", clone, GITHUB_REF_TYPE="", GITHUB_REF_NAME="")
    assert done.returncode == 2 and "no tag was named" in done.stderr
