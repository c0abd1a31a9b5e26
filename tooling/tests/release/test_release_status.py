"""`status` compares git, its host, the indexes and the ledger, and lists what is left."""

from __future__ import annotations

import json
import shutil
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from labhandbook.core.rules import Findings
from labhandbook.core.steps import Outcome
from labhandbook.package.project import load_project
from labhandbook.release.publish import Upload, publish
from labhandbook.release.release_folder import State
from labhandbook.release.release_status import NO, PARTLY, UNKNOWN, YES, Line, Status, status
from labhandbook.release.step_actions import Options, Release
from tooling.tests.conftest import run
from tooling.tests.core import test_http_client as http
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_dists import CANARY
from tooling.tests.package.sample_packages import git
from tooling.tests.release.faulty_index import serving

pytestmark = pytest.mark.walk


@pytest.fixture
def built(tmp_path: Path) -> State:
    """A version whose files are in the ledger, without a build."""
    root = sample_dists.project(tmp_path / "labdemo")
    state = State(load_project(root, ask_remote=False), "1.2.0")
    state.dist.mkdir(parents=True)
    paths = [sample_dists.wheel(state.dist, "labdemo", "1.2.0"), sample_dists.sdist(state.dist, "labdemo", "1.2.0")]
    git_state = state.project.git
    assert git_state is not None
    facts = {"files": {path.name: {"sha256": sample_dists.sha256(path), "size": 1} for path in paths},
             "commit": git_state.commit, "tree": git_state.tree, "tags": ["v1.2.0"]}
    state.ledger().record("build", "key", 1.0, Outcome("built", Findings(), facts))
    return state


def found(state: State, *targets: str) -> Status:
    project = load_project(state.project.root)
    return status(Release(project, State(project, state.version), options=Options()), targets)


def about(state: State, *targets: str) -> dict[str, Line]:
    return {line.about: line for line in found(state, *targets).known}


def test_nothing_is_done_yet(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo")
    state = State(load_project(root, ask_remote=False), "1.2.0")
    lines = about(state)
    assert (lines["commit"].state, lines["build"].state, lines["rehearsal"].state) == (YES, NO, NO)
    assert lines["git host"].state == UNKNOWN
    assert found(state).left == ["handbook release rehearse"]


def test_the_host_in_place_of_pypi_is_named(built: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path / "index") as server:
        monkeypatch.setenv("HANDBOOK_PYPI", server.url)
        line = about(built, "pypi")["pypi"]
        assert line.text == f"{server.url.removeprefix('http://')}: no file of 1.2.0"


def test_what_could_not_be_asked_is_named_beside_what_is_left() -> None:
    known = [Line("commit", YES, "v1.2.0 is 0123456789"), Line("pypi", UNKNOWN, "the host can't be reached")]
    said = Status("labdemo", "1.2.0", known, []).lines()
    assert "  nothing else is left to do; unknown: pypi" in said and "  nothing is left to do" not in said
    assert "  nothing is left to do" in Status("labdemo", "1.2.0", known[:1], []).lines()


def test_a_commit_that_is_changed_or_not_tagged(built: State) -> None:
    (built.project.root / "new.txt").touch()
    assert about(built)["commit"].state == PARTLY
    git(built.project.root, "tag", "--delete", "v1.2.0")
    line = about(built)["commit"]
    assert line.state == NO and "git tag --annotate v1.2.0" in line.next


def test_a_new_package_gets_a_version_that_an_index_takes(tmp_path: Path) -> None:
    root = sample_dists.project(tmp_path / "labdemo")
    git(root, "tag", "--delete", "v1.2.0")
    left = found(State(load_project(root, ask_remote=False), "0.1.dev1+g27f6aa6e")).left
    assert left[0] == "handbook release rehearse --untagged"
    assert left[1].startswith("git tag --annotate v0.1.0 ") and "+g" not in " ".join(left)
    written = found(State(load_project(root, ask_remote=False), "2.1.4.dev3")).left
    assert written[1].startswith("git tag --annotate v2.1.4 ")
    shutil.rmtree(root / ".git")
    left = found(State(load_project(root, ask_remote=False), "0.1.dev1+g27f6aa6e")).left
    assert left[0].startswith("git init") and "v0.1.0" in left[0]


def test_the_git_host_is_asked(built: State, tmp_path: Path) -> None:
    root = built.project.root
    git(tmp_path, "init", "--quiet", "--bare", "host.git")
    git(root, "remote", "add", "origin", str(tmp_path / "host.git"))
    line = about(built)["git host"]
    assert line.state == NO and line.next == "git push origin v1.2.0"
    git(root, "push", "--quiet", "origin", "v1.2.0")
    assert about(built)["git host"].state == YES
    (root / "new.txt").touch()
    git(root, "tag", "--delete", "v1.2.0")
    sample_dists.commit(root, "v1.2.0")
    line = about(built)["git host"]
    assert line.state == PARTLY and "another commit" in line.text
    shutil.rmtree(tmp_path / "host.git")
    assert about(built)["git host"].state == UNKNOWN


def test_an_index_is_compared_with_the_ledger(built: State, tmp_path: Path) -> None:
    with serving(tmp_path / "index", token=CANARY) as server:
        def line() -> Line:
            return about(built, server.url)[server.url]

        def upload(paths: list[Path]) -> None:
            publish(Upload("labdemo", "1.2.0", paths, built.hashes(), sample_dists.at(server), secret=CANARY))

        assert line().state == NO and line().next == f"handbook release publish --to {server.url}"
        upload(built.files()[:1])
        assert line().state == PARTLY and "1 of 2" in line().text
        upload(built.files())
        assert line().state == YES and "verify" in line().next
        server.store.swap("labdemo-1.2.0.tar.gz", b"evil", announce=True)
        assert "other files" in line().text and "1.2.1" in line().next
        server.store.swap("labdemo-1.2.0.tar.gz", built.files()[0].read_bytes(), announce=True)
        server.store.yank("labdemo-1.2.0.tar.gz", "wrong sign")
        assert line().state == PARTLY and "wrong sign" in line().text
    assert line().state == UNKNOWN, "an index that doesn't answer says nothing"


def test_an_upload_that_is_not_listed_yet(built: State, tmp_path: Path) -> None:
    with serving(tmp_path / "index", lag=100) as server:
        built.ledger(server.url).record("upload", "key", 1.0, Outcome("up"))
        line = about(built, server.url)[server.url]
        assert "not listed yet" in line.text and line.next == f"handbook release verify --from {server.url}"


def test_files_that_differ_from_the_ledger(built: State) -> None:
    next(built.dist.glob("*.whl")).write_bytes(b"x")
    assert "are not those of the ledger" in about(built)["build"].text


def test_steps_are_done_or_left(built: State) -> None:
    built.ledger().record("inspect", "", 1.0, Outcome("fine"))
    states = {step.step: step.state for step in found(built).steps}
    assert states.pop("inspect") == "done"
    assert set(states.values()) == {"to do"}, "the build has another fingerprint"
    line = about(built)["rehearsal"]
    assert line.state == PARTLY and "check, build, gate" in line.text


def test_the_command(built: State) -> None:
    done = run("release", "status", built.project.root, "--format", "json")
    assert done.returncode == 0, done.stderr
    (shown,) = json.loads(done.stdout)
    assert shown["project"] == "labdemo" and {line["about"] for line in shown["lines"]} == {
        "commit", "build", "rehearsal", "testpypi", "pypi", "git host"}
    text = run("release", "status", built.project.root).stdout
    assert "left to do" in text and "7. verify" in text and ".html#sec-updating-bad" in text


def test_a_project_under_quarantine_is_named(built: State) -> None:
    """PEP 792: such an index lists no files, so a wait for them would not end."""
    page = {"meta": {"api-version": "1.4"}, "name": "labdemo", "files": [],
            "project-status": {"status": "quarantined", "reason": "under review"}}

    def reply(request: BaseHTTPRequestHandler) -> None:
        http.send(request, body=json.dumps(page).encode(), Content_Type="application/vnd.pypi.simple.v1+json")

    with http.serving(reply) as (address, _):
        line = about(built, address)[address]
    assert line.state == UNKNOWN and "labdemo is under quarantine on 127.0.0.1" in line.text
