"""The conda-forge chapter's blocks under "By command", run as they are printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tooling.tests.conftest import ROOT
from tooling.tests.recipe.samples import need_network

CHAPTER = ROOT / "chapters" / "packaging" / "conda-forge.qmd"
# Blocks of the chapter that can't run here, by the words that tell them, and why.
EXCLUDED = {
    "git clone": "it needs an account on GitHub with a fork",
    "conda create": "it needs conda and conda-forge's channel",
    "conda install": "it needs conda and conda-forge's channel",
    "conda-smithy": "it needs conda and conda-forge's channel",
    "build-locally.py": "it needs Docker and conda-forge's images",
    "git push": "it needs an account on GitHub with a fork",
    "git commit": "it is the same step as handbook recipe submit, by hand",
    "export PACKAGE": "it asks for your GitHub name, which the test gives",
}
IN_FEEDSTOCK = ("handbook recipe diff", "handbook recipe update")


def blocks() -> list[str]:
    """The shell blocks of the chapter in their order."""
    return re.findall(r"^```\{\.bash[^\n]*\n(.*?)^```", CHAPTER.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def excluded(block: str) -> bool:
    return any(words in block for words in EXCLUDED)


def shell(block: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1",
           "PACKAGE": "gpyreg", "GITHUB_USER": "someone", "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
           "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
    return subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=env, capture_output=True,
                          text=True, check=False, timeout=300)


def repository(folder: Path, name: str, text: str) -> Path:
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text(text, encoding="utf-8")
    done = shell("git init --quiet --initial-branch main && git add . && git commit --quiet --message Begin", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_excluded_block_is_there() -> None:
    for words in EXCLUDED:
        assert any(words in block for block in blocks()), words


def test_each_block_of_a_command_runs_or_is_excluded_by_hand() -> None:
    for block in blocks():
        assert "handbook" in block or excluded(block), block


def test_the_commands_do_what_the_chapter_says(tmp_path: Path) -> None:
    need_network()
    clone = repository(tmp_path / "staged-recipes", "recipes/example/recipe.yaml", "{}\n")
    printed = [block for block in blocks() if not excluded(block)]
    assert len(printed) == 6
    for block in printed:
        if block.startswith(IN_FEEDSTOCK):
            continue
        done = shell(block, clone)
        assert done.returncode == 0, block + done.stderr
    recipe = (clone / "recipes" / "gpyreg" / "recipe.yaml").read_text(encoding="utf-8")
    feedstock = repository(tmp_path / "gpyreg-feedstock", "recipe/recipe.yaml",
                           recipe.replace("    - numpy", "    - attrs\n    - numpy"))
    for block, code in zip([one for one in printed if one.startswith(IN_FEEDSTOCK)], (0, 0), strict=True):
        done = shell(block, feedstock)
        assert done.returncode == code and "asks" not in done.stdout, block + done.stderr
    assert "attrs" not in (feedstock / "recipe" / "recipe.yaml").read_text(encoding="utf-8")
