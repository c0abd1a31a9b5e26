"""Each shell block of the book is run as printed by a test, or named here with the reason why it is not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from labhandbook.book.facts import identity
from labhandbook.book.load import load_book
from tooling.tests.conftest import ROOT
from tooling.tests.package.sample_packages import git
from tooling.tests.release.packaging_chapter import FIRST, NEXT, blocks

TESTS = ROOT / "tooling/tests"
# The tests that run every block of a page, or name what they leave out themselves.
WHOLE = {
    **dict.fromkeys((*FIRST, NEXT), "release/test_chapter_agrees.py"),
    "chapters/packaging/conda-forge.qmd": "recipe/test_chapter.py",
    "chapters/contributing.qmd": "book/test_contributing_runs.py",
    "chapters/authors.qmd": "book/test_contributing_runs.py",
    "chapters/seminars/organising.qmd": "seminar/test_seminar_chapter.py",
    **{f"chapters/hpc/{path.name}": "hpc/test_access_pages_run.py" for path in (ROOT / "chapters/hpc").glob("*.qmd")},
}
# The tests that run the other blocks, by page and the words that a block begins with; else why it is not run.
RUN = {
    "chapters/kit.qmd": {"curl": "cli/test_install.py", "pipx": "cli/test_install.py",
                         "python3": "cli/test_install.py", "module": "cli/test_install.py",
                         "uv": "cli/test_install.py"},
    "chapters/packaging/github-actions.qmd": {
        "handbook release init": "github/test_release_workflow.py",
        "handbook release doctor": "github/test_doctor_command.py", "handbook release admit": "github/test_admit.py",
        "handbook release announce": "github/test_release_workflow_runs.py",
        "export VERSION": "book/test_blocks_are_run.py"},
    "chapters/packaging/metadata.qmd": {"handbook release check --untagged": "release/test_hooks.py"},
    "chapters/watching.qmd": {"handbook watch": "watch/test_watching_chapter.py",
                              "uvx keyring": "it needs a desktop's keyring",
                              "git ls-remote": "book/test_blocks_are_run.py"},
    "chapters/together/ai.qmd": {"handbook job check": "hpc/test_new_and_check.py"},
    "chapters/together/index.qmd": {"handbook upkeep": "book/test_upkeep.py"},
    "chapters/research/index.qmd": {"git clone": "book/test_contributing_runs.py",
                                    "handbook release rehearse": "research/test_kit.py"},
}
RESEARCH = "research/test_pages_run.py"
ON_A_CLUSTER = {"driving": "research/test_driving.py", "selfplay": "research/test_selfplay.py",
                "eras": "research/test_seeds_array.py", "phrases": "research/test_seeds_array.py",
                "gp": "test_seeds_array.py runs the same script", "bo": "test_seeds_array.py runs the same script"}


def where(page: str, start: str, machine: str) -> str:
    """The test that runs a block, or the reason why none does; empty where neither is known."""
    if start.startswith("handbook rules"):
        return "core/test_rule_pages.py"
    if page in RUN:
        return next((test for words, test in RUN[page].items() if start.startswith(words)), "")
    if page.startswith("chapters/research/"):
        included = (ROOT / page).parent / "jobs" / machine
        on_cluster = "node" in machine or included.is_file()
        return ON_A_CLUSTER.get(Path(page).parent.name, "") if on_cluster else RESEARCH if machine == "laptop" else ""
    return WHOLE.get(page, "")


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix()
                                        for path in ROOT.glob("chapters/**/[!_]*.qmd")))
def test_every_block_has_a_test_or_a_reason(page: str) -> None:
    for block in blocks(page):
        found = where(page, block.text, block.machine)
        assert found, f"{block.place} is run by no test, and no reason is named"
        assert not found.endswith(".py") or (TESTS / found).is_file(), found


def test_the_blocks_of_git_run_as_printed(tmp_path: Path) -> None:
    """A tag that is pushed, and the commit that the handbook's repository is at, with repositories on this disk."""
    hosted, clone = tmp_path / "hosted.git", tmp_path / "clone"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", hosted], check=True)
    subprocess.run(["git", "clone", "--quiet", hosted, clone], check=True, capture_output=True)
    git(clone, "switch", "--quiet", "--create", "main")
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    git(clone, "push", "--quiet", "--set-upstream", "origin", "main")
    address = identity(load_book(ROOT))["repo"]
    env = {**os.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{hosted}.insteadOf",
           "GIT_CONFIG_VALUE_0": address, "GIT_COMMITTER_NAME": "A Person", "GIT_COMMITTER_EMAIL": "a@example.org"}
    said = {}
    for page, start in (("chapters/packaging/github-actions.qmd", "export VERSION"),
                        ("chapters/watching.qmd", "git ls-remote")):
        (block,) = [each for each in blocks(page) if each.text.startswith(start)]
        done = subprocess.run(["bash", "-ec", block.text], cwd=clone, env=env, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr
        said[start] = done.stdout
    assert git(hosted, "tag", "--list", "--format=%(objecttype) %(refname:short) %(subject)").strip() == (
        "tag v1.2.0 gpyreg 1.2.0")
    assert said["git ls-remote"] == git(hosted, "rev-parse", "main")


def test_what_is_named_is_printed() -> None:
    for page, starts in RUN.items():
        texts = [block.text for block in blocks(page)]
        assert all(any(text.startswith(start) for text in texts) for start in starts), page
    assert all(Path(ROOT / page).is_file() for page in WHOLE)
