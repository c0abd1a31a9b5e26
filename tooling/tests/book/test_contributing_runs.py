"""The pages on changing the book: their shell blocks run as printed, from a fork on this disk to a pushed branch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labhandbook.book.facts import identity
from labhandbook.book.load import load_book
from tooling.tests.conftest import ROOT
from tooling.tests.github.pipeline import handbook_as_fetched
from tooling.tests.package.sample_packages import git
from tooling.tests.release.packaging_chapter import Block, blocks

pytestmark = pytest.mark.walk

PAGES = ("chapters/contributing.qmd", "chapters/authors.qmd")
# What can't run here, by the words that a block begins with, and why.
NOT_RUN = {
    "make preview": "it serves pages until it is stopped; test_preview.py runs it",
    "quarto preview": "it needs Quarto",
    "python3 -m venv": "it installs this package, which is on PATH already; test_install.py installs it",
    "handbook search-index": "it works on a site that Quarto made; test_search_on_quarto.py runs it",
    "handbook job facts": "it needs a cluster; test_commands_run.py runs it",
    "handbook upkeep": "it asks the web; test_upkeep.py runs it",
}
SET = {"GITHUB_USER": "someone", "BRANCH": "roihu-quotas", "MESSAGE": "Roihu's quotas are those of today"}


def why_not(block: Block) -> str:
    """Why a block does not run here; empty for one that does."""
    return next((why for start, why in NOT_RUN.items() if block.text.startswith(start)), "")


@pytest.fixture
def fork(tmp_path: Path) -> Path:
    """The fork as git's host has it: a bare repository with the files of today as its one commit."""
    tree = handbook_as_fetched(tmp_path / "tree")
    git(tree, "init", "--quiet", "--initial-branch", "main")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "The handbook")
    made = tmp_path / "hosted" / "someone" / "handbook.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", tree, made], check=True)
    return made


def test_every_excluded_block_is_on_a_page() -> None:
    texts = [block.text for page in PAGES for block in blocks(page)]
    assert all(any(text.startswith(start) for text in texts) for start in NOT_RUN)


def test_a_change_goes_from_the_fork_to_a_pushed_branch(fork: Path, tmp_path: Path) -> None:
    host = identity(load_book(ROOT))["repo"].rsplit("/", 2)[0]
    program = ["set -e"]
    for page in PAGES:
        for block in blocks(page):
            if not why_not(block):
                program.append(block.text)
            if "git switch" in block.text:
                program.append("printf '\\nA line more.\\n' >> chapters/contributing.qmd")
    env = {**os.environ, **SET, "NO_COLOR": "1", "HOME": str(tmp_path),
           "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
           "GIT_CONFIG_COUNT": "3", "GIT_CONFIG_KEY_0": f"url.file://{fork.parents[1]}/.insteadOf",
           "GIT_CONFIG_VALUE_0": f"{host}/", "GIT_CONFIG_KEY_1": "user.name", "GIT_CONFIG_VALUE_1": "Someone",
           "GIT_CONFIG_KEY_2": "user.email", "GIT_CONFIG_VALUE_2": "someone@example.org"}
    done = subprocess.run(["bash", "-c", "\n".join(program)], cwd=tmp_path, env=env, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " M chapters/contributing.qmd" in done.stdout and "no findings" in done.stderr + done.stdout
    assert git(fork, "log", "-1", "--format=%an: %s", SET["BRANCH"]).strip() == f"Someone: {SET['MESSAGE']}"
    assert "A line more." in git(fork, "show", f"{SET['BRANCH']}:chapters/contributing.qmd")
    assert (tmp_path / "handbook" / "_book" / "index.html").is_file()
