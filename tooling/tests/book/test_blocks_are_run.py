"""Each shell block of the book is run as printed by a test, or named here with the reason why it is not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection
from importlib import import_module
from pathlib import Path

import pytest

from labhandbook.book.facts import identity
from labhandbook.book.load import load_book
from tooling.tests.conftest import ROOT
from tooling.tests.hpc import test_access_pages_run as access
from tooling.tests.hpc.printed_commands import commands
from tooling.tests.package.sample_packages import git
from tooling.tests.release.packaging_chapter import Block, blocks

TESTS = ROOT / "tooling/tests"
HERE = "book/test_blocks_are_run.py"
# The tests that run every block of the pages that they name, or say themselves what they leave out.
WHOLE = ("release/test_chapter_runs.py", "recipe/test_chapter.py", "book/test_contributing_runs.py",
         "seminar/test_seminar_chapter.py", "cli/test_install.py", "hpc/test_access_pages_run.py")
# The tests that run the other blocks, by page and the words that a block begins with; else why it is not run.
ACTIONS, WATCHING = "chapters/packaging/github-actions.qmd", "chapters/watching.qmd"
RUN = {
    ACTIONS: {
        "handbook release init": "github/test_release_workflow.py",
        "handbook release doctor": "github/test_doctor_command.py", "handbook release admit": "github/test_admit.py",
        "handbook release announce": "github/test_announce.py", "export VERSION": HERE},
    "chapters/packaging/metadata.qmd": {"handbook release check --untagged": "release/test_hooks.py"},
    WATCHING: {"handbook watch": "watch/test_watching_chapter.py", "uvx keyring": "it needs a desktop's keyring",
               "git ls-remote": HERE},
    "chapters/together/ai.qmd": {"handbook job check": "hpc/test_new_and_check.py"},
    "chapters/together/index.qmd": {"handbook upkeep": "book/test_upkeep.py"},
    "chapters/research/index.qmd": {"handbook release rehearse": "research/test_kit.py"},
}
RULES, PROJECTS = "core/test_rule_pages.py", "research/test_pages_run.py"
# They find their blocks and scripts themselves; `where` asks the same functions.
SLURM, SCRIPTS = "hpc/test_commands_run.py", "hpc/test_scripts_run.py"
# The blocks of the projects for a cluster: the scripts that a page includes, and what submits them.
SUBMITS = "a test submits the same script with fewer steps: "
ON_A_CLUSTER = {"seeds.sh": "research/test_driving.py", "selfplay-seeds.sh": "research/test_selfplay.py",
                "driving": f"{SUBMITS}research/test_driving.py", "selfplay": f"{SUBMITS}research/test_selfplay.py",
                "eras": "research/test_seeds_array.py", "phrases": "research/test_seeds_array.py",
                "gp": f"{SUBMITS}research/test_seeds_array.py", "bo": f"{SUBMITS}research/test_seeds_array.py"}


def named(test: str) -> set[str]:
    """The pages that a test names in its constants."""
    module = import_module("tooling.tests." + test.removesuffix(".py").replace("/", "."))
    return {each for value in vars(module).values() for each in ([value] if isinstance(value, str) else value
            if isinstance(value, Collection) else []) if isinstance(each, str) and each.startswith("chapters/")}


WALKED = {page: test for test in WHOLE for page in named(test)}
ON_SLURM = {printed.place for printed in commands()}


def where(block: Block) -> str:
    """The test that runs a block, or the reason why none does; empty where neither is known."""
    page = Path(block.page)
    if block.text.startswith("handbook rules"):
        return RULES
    if page.parent.name == "hpc":
        return on_a_cluster(block)
    if found := [test for words, test in RUN.get(block.page, {}).items() if block.text.startswith(words)]:
        return found[0]
    if block.page.startswith("chapters/research/"):
        return PROJECTS if block.machine == "laptop" else ON_A_CLUSTER.get(
            block.machine, ON_A_CLUSTER.get(page.parent.name, ""))
    return WALKED.get(block.page, "")


def on_a_cluster(block: Block) -> str:
    """The same for a block of a page on clusters."""
    if f"{Path(block.page).name}:{block.line}" in ON_SLURM:
        return SLURM
    if (ROOT / "chapters/hpc/jobs" / block.machine).is_file():
        return SCRIPTS
    reason = next((why for words, why in access.NOT_RUN.items() if words in block.text), "")
    return reason or WALKED.get(block.page, "")


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix()
                                        for path in ROOT.glob("chapters/**/[!_]*.qmd")))
def test_every_block_has_a_test_or_a_reason(page: str) -> None:
    """A test that is named names the page itself, or the script that the block shows."""
    for block in blocks(page):
        found = where(block)
        assert found, f"{block.place} is run by no test, and no reason is named"
        if found.endswith(".py") and " " not in found and found not in (SLURM, SCRIPTS):
            script = f"jobs/{block.machine}" in (TESTS / found).read_text(encoding="utf-8")
            assert script or page in named(found), f"{block.place}: {found} doesn't name {page}"


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
    for page, start in ((ACTIONS, "export VERSION"), (WATCHING, "git ls-remote")):
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
