"""`undo` tells what fits: a yank and a new version for what is public, the tag and the files for what isn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.core.rules import Findings
from labhandbook.core.steps import Outcome
from labhandbook.package.project import load_project
from labhandbook.release.release_folder import State
from labhandbook.release.status import NO, UNKNOWN, YES, Line
from labhandbook.release.undo import Action, card
from tooling.tests.conftest import ROOT, run
from tooling.tests.package import sample_dists
from tooling.tests.package.sample_packages import git


@pytest.fixture
def state(tmp_path: Path) -> State:
    root = sample_dists.project(tmp_path / "labdemo")
    git(root, "remote", "add", "origin", "https://example.org/labdemo.git")
    return State(load_project(root, ask_remote=False), "1.2.0")


def actions(state: State, pypi: str, host: str = YES, testpypi: str = NO) -> list[Action]:
    lines = [Line("pypi", pypi, ""), Line("testpypi", testpypi, ""), Line("git host", host, "")]
    return card(state.project, state, lines)


def test_a_secret_comes_first(state: State) -> None:
    assert all(actions(state, known)[0].section == "sec-updating-secret" for known in (YES, NO, UNKNOWN))


@pytest.mark.parametrize("known", [YES, UNKNOWN])
def test_what_is_or_may_be_public_is_yanked(known: str, state: State) -> None:
    from labhandbook.package import index_addresses

    shown = actions(state, known)
    yank = next(action for action in shown if action.section == "sec-updating-yank")
    assert yank.how.startswith(f"{index_addresses.index('pypi').web}/manage/project/labdemo/release/1.2.0/")
    repair = next(action for action in shown if action.title.startswith("Release"))
    assert "v1.2.1" in repair.how and "1.2.0.post1" in repair.why
    assert any("conda-forge" in action.title for action in shown)
    assert not any("--delete" in action.how for action in shown), "a tag that others have seen stays"


def test_an_upload_in_the_ledger_counts_as_public(state: State) -> None:
    state.ledger("pypi").record("upload", "key", 1.0, Outcome("up"))
    assert any(action.section == "sec-updating-yank" for action in actions(state, NO))


def test_what_nobody_has_is_made_anew(state: State) -> None:
    commands = [action.how for action in actions(state, NO)]
    assert "git push origin --delete v1.2.0" in commands and "git tag --delete v1.2.0" in commands
    assert not any(command.startswith("rm ") for command in commands), "nothing was built"
    state.ledger().record("build", "key", 1.0,
                          Outcome("built", Findings(), {"files": {"labdemo.whl": {"sha256": "0"}}}))
    assert "rm -r .handbook/release/labdemo-1.2.0" in [action.how for action in actions(state, NO)]
    assert "git push origin --delete v1.2.0" not in [action.how for action in actions(state, NO, host=NO)]
    assert any("TestPyPI" in action.title for action in actions(state, NO, testpypi=YES))


def test_every_section_is_in_the_chapters(state: State) -> None:
    chapters = "".join(path.read_text() for path in (ROOT / "chapters" / "packaging").glob("*.qmd"))
    for action in [*actions(state, YES), *actions(state, NO, testpypi=YES)]:
        assert f"{{#{action.section}" in chapters, action.section


def test_the_command_changes_nothing(state: State) -> None:
    done = run("release", "undo", state.project.root, "--version", "1.1.0")
    assert done.returncode == 0 and "labdemo 1.1.0" in done.stdout, done.stderr
    assert not state.project.state.exists()
