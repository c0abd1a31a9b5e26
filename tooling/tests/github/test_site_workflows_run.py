"""site.yml, check.yml and links.yml, run: for a pull request from a fork, for the main branch, and on a Monday."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tooling.tests.conftest import LACKS, ROOT
from tooling.tests.github import fake_github
from tooling.tests.github.act_runner import Event, Run, Runner
from tooling.tests.github.pipeline import SYSTEM, TOKEN, handbook_as_fetched
from tooling.tests.package.sample_packages import download, git

pytestmark = pytest.mark.long

REPOSITORY = "acerbilab/handbook"
WORKFLOWS = ROOT / ".github" / "workflows"
# A quick test or two of the handbook and of each project: the whole of them is a test of its own, below.
SOME = "-k 'test_report or _package or test_layout or test_eras_scores or bowl or far_from_all_data'"
# Jobs beside the others: what takes its own time is not run within another test, and Quarto's needs Quarto.
BESIDE = ("long",) if shutil.which("quarto") else ("long", "quarto")


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GitHub's copy of this repository: its history, and this working tree as the newest commit."""
    if download("click") is None:
        pytest.skip(LACKS + "the network")
    folder = tmp_path_factory.mktemp("handbook")
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, folder / "remote.git"], check=True)
    tree = handbook_as_fetched(folder / "tree")
    git(tree, "init", "--quiet")
    git(tree, "fetch", "--quiet", str(folder / "remote.git"), "HEAD")
    git(tree, "symbolic-ref", "HEAD", "refs/heads/main")
    git(tree, "update-ref", "refs/heads/main", "FETCH_HEAD")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "The working tree")
    git(tree, "push", "--quiet", "--force", str(folder / "remote.git"), "HEAD:refs/heads/main")
    git(folder / "remote.git", "symbolic-ref", "HEAD", "refs/heads/main")
    return folder / "remote.git"


def machine(remote: Path, scratch: Path, **environ: str) -> Runner:
    """A runner with the tools of this machine, and Quarto if it is here."""
    quarto = shutil.which("quarto")
    engine = {"STAND_IN_QUARTO": quarto} if quarto else {"ENGINE": "pandoc"}
    authorities = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"), SYSTEM)
    # Torch's own index can't be reached from everywhere.
    return Runner(remote, scratch, {"TORCH_BACKEND": "default"}, {"GITHUB_TOKEN": TOKEN},
                  {**engine, **authorities, "GIT_CONFIG_COUNT": "1",
                   "GIT_CONFIG_KEY_0": f"url.file://{remote}.insteadOf",
                   "GIT_CONFIG_VALUE_0": f"https://github.com/{REPOSITORY}", **environ})


def run(runner: Runner, name: str, event: str, *, fork: bool = False, api: str = "", done: Sequence[str] = (),
        timeout: float = 900) -> Run:
    """The run of a workflow for an event on the newest commit, without the jobs that are `done`."""
    return runner.run(WORKFLOWS / name, event_of(runner, event, fork=fork, api=api), done=done, timeout=timeout)


def event_of(runner: Runner, event: str, *, fork: bool = False, api: str = "") -> Event:
    """An event on the newest commit."""
    sha = git(runner.remote, "rev-parse", "main").strip()
    pull = {"number": 7, "head": {"sha": sha, "repo": {"fork": fork, "full_name": "somebody/handbook"}}}
    payload: dict[str, object] = {"repository": {"full_name": REPOSITORY, "default_branch": "main"}}
    ref = "refs/heads/main"
    if event == "pull_request":
        payload, ref = payload | {"pull_request": pull}, "refs/pull/7/merge"
    variables = {"GITHUB_REF": ref, "GITHUB_SHA": sha, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_RUN_ID": "11",
                 **({"GITHUB_API_URL": api} if api else {})}
    return Event(event, payload, variables)


def files(runner: Runner, name: str) -> set[str]:
    """The files of an artifact."""
    with zipfile.ZipFile(runner.artifacts / f"{name}.zip") as archive:
        return set(archive.namelist())


def test_a_pull_request_from_a_fork_gets_a_site_to_look_at(remote: Path, tmp_path: Path) -> None:
    runner = machine(remote, tmp_path)
    done = run(runner, "site.yml", "pull_request", fork=True)
    assert (done.ended("success"), done.ended("failure")) == (["build"], []), done.why()
    assert "deploy" not in done.jobs, "nothing is published"
    site = files(runner, "site")
    assert {"index.html", "chapters/packaging/pypi.html", "Lab-Handbook.pdf", "Lab-Handbook.epub"} <= site
    summary = done.jobs["build"].summary
    assert "[the site](https://example.org/artifacts/site)" in summary and "python3 -m http.server" in summary
    assert summary.count("## Handbook check: no findings") == 2, summary


def test_a_push_to_main_publishes_what_was_checked(remote: Path, tmp_path: Path) -> None:
    runner = machine(remote, tmp_path)
    done = run(runner, "site.yml", "push")
    assert done.ended("success") == ["build", "deploy"], done.why()
    assert (runner.artifacts / "pages" / "index.html").is_file()
    assert not (runner.artifacts / "site.zip").exists()
    page = (runner.artifacts / "pages" / "chapters" / "packaging" / "pypi.html").read_text(encoding="utf-8")
    assert "Changed" in page, "the history dates the pages"

    shutil.rmtree(runner.artifacts / "pages")
    newer = git(remote, "commit-tree", "main^{tree}", "-p", "main", "-m", "A newer commit").strip()
    event = event_of(runner, "push")
    git(remote, "update-ref", "refs/heads/main", newer)
    done = runner.run(WORKFLOWS / "site.yml", event, done=["build"])
    git(remote, "update-ref", "refs/heads/main", f"{newer}^")
    assert done.ended("success") == ["deploy"] and not (runner.artifacts / "pages").exists(), done.why()


def checked(remote: Path, scratch: Path, *, fork: bool, timeout: float = 900, **environ: str) -> tuple[Runner, Run]:
    """A pull request runs check.yml, without the jobs beside."""
    home = {"PIP_CACHE_DIR": str(Path.home() / ".cache" / "pip")}
    pip = {"PIP_CONFIG_FILE": os.environ["PIP_CONFIG_FILE"]} if "PIP_CONFIG_FILE" in os.environ else {}
    runner = machine(remote, scratch, **home, **pip, **environ)
    return runner, run(runner, "check.yml", "pull_request", fork=fork, done=BESIDE, timeout=timeout)


@pytest.mark.slow
def test_a_pull_request_runs_every_check(remote: Path, tmp_path: Path) -> None:
    """All of .ci/run, as on GitHub, which takes as long as `make test` and a fresh environment."""
    _, done = checked(remote, tmp_path, fork=False, timeout=3600)
    assert {"check", "annotate"} <= set(done.ended("success")) and not done.ended("failure"), done.why()


@pytest.mark.slow
def test_findings_are_in_the_summary_and_in_code_scanning(remote: Path, tmp_path: Path) -> None:
    runner, done = checked(remote, tmp_path, fork=False, PYTEST_ADDOPTS=SOME)
    assert {"check", "annotate"} <= set(done.ended("success")) and not done.ended("failure"), done.why()
    summary = done.jobs["check"].summary
    assert "## Handbook check: no findings" in summary and "## Tests: " in summary and " passed" in summary
    said = json.loads((runner.artifacts / "code-scanning" / "handbook" / "handbook.sarif").read_text())
    assert said["runs"][0]["tool"]["driver"]["name"] == "handbook"


@pytest.mark.slow
def test_a_mistake_in_a_fork_is_shown_without_a_token(remote: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", remote, broken], check=True)
    work = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", str(broken), str(work))
    page = work / "chapters" / "seminars" / "index.qmd"
    page.write_text(page.read_text(encoding="utf-8") + "\n![](nothing.png)\n", encoding="utf-8")
    git(work, "commit", "--quiet", "--all", "--message", "A mistake")
    git(work, "push", "--quiet")
    _, done = checked(broken, tmp_path / "machine", fork=True, PYTEST_ADDOPTS=SOME)
    assert "check" in done.ended("failure") and "annotate" not in done.jobs, done.why()
    assert "BOOK0" in done.jobs["check"].summary and "nothing.png" in done.jobs["check"].summary
    assert any("nothing.png" in error for error in done.jobs["check"].errors)


def test_on_a_monday_one_issue_says_what_has_aged(remote: Path, tmp_path: Path) -> None:
    state = fake_github.State(REPOSITORY, remote, TOKEN)
    with fake_github.serving(state) as server:
        runner = machine(remote, tmp_path)
        done = run(runner, "links.yml", "schedule", api=server.url)
    assert done.ended("success") == ["upkeep"], done.why()
    assert "## Upkeep of the handbook: " in done.jobs["upkeep"].summary
    assert "GET /repos/actions/checkout/releases/latest" in state.asked
    assert len(state.issues) <= 1
