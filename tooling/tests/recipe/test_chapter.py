"""The conda-forge chapter's shell blocks, run as they are printed: by hand and by command, on a hub of this disk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tooling.tests.conftest import ROOT
from tooling.tests.recipe.local_github import Hub, hub
from tooling.tests.recipe.samples import need_network

pytestmark = pytest.mark.long

PAGE = "chapters/packaging/conda-forge.qmd"
# Blocks of the chapter that can't run here, by the words that identify them, and why.
CONDA = "it needs conda and conda-forge's channel"
EXCLUDED = {"conda create --yes --name recipe": CONDA, "conda install": CONDA, "conda create --yes --name try": CONDA,
            "build-locally.py": "it needs Docker and conda-forge's images"}
# The steps of the two ways, by the words of their blocks.
BEFORE = ("export PACKAGE", "git clone")
BY_COMMAND = ("recipe new", "recipe lint", "recipe build", "recipe submit", "git push")
BY_HAND = ("git switch", "recipe new", "git commit", "git push")
IN_FEEDSTOCK = ("recipe diff .\n", "--change FETCH_HEAD", "recipe update")


def blocks() -> list[str]:
    """The shell blocks of the chapter in their order."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    return re.findall(r"^```\{\.bash[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def block(words: str) -> str:
    """The one block with these words."""
    found = [one for one in blocks() if words in one]
    assert len(found) == 1, words
    return found[0]


def shell(text: str, folder: Path, made: Hub) -> str:
    """Run a block in a new home, with the caches and settings of this machine; what it said."""
    home = made.root.parent / "home"
    home.mkdir(exist_ok=True)
    folders = {name: os.environ.get(name) or str(Path.home() / place)
               for name, place in (("XDG_CACHE_HOME", ".cache"), ("XDG_CONFIG_HOME", ".config"))}
    env = {**os.environ, **made.env, **folders, "HOME": str(home),
           "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
           "NO_COLOR": "1", "PACKAGE": "gpyreg", "GITHUB_USER": "someone", "NUMBER": "7",
           "GITHUB_SERVER_URL": "http://127.0.0.1:9"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=env, capture_output=True,
                          text=True, check=False, timeout=900)
    assert done.returncode == 0, text + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def made(tmp_path: Path) -> Hub:
    """conda-forge's staged-recipes with someone's fork of it."""
    return hub(tmp_path)


def test_every_block_is_run_or_excluded_for_a_reason() -> None:
    steps = {*BEFORE, *BY_COMMAND, *BY_HAND, *IN_FEEDSTOCK}
    run = {block(words) for words in steps}
    left = [one for one in blocks() if one not in run]
    assert len(left) == len(EXCLUDED) and all(any(words in one for words in EXCLUDED) for one in left)
    for words in EXCLUDED:
        assert block(words) in left


def test_by_command(made: Hub, tmp_path: Path) -> None:
    need_network()
    for words in BEFORE:
        said = shell(block(words), tmp_path, made)
    assert "upstream/main" in said
    clone = tmp_path / "staged-recipes"
    for words in BY_COMMAND:
        said = shell(block(words), clone, made)
    fork = made.root / "someone" / "staged-recipes.git"
    recipe = made.git(fork, "show", "gpyreg-recipe:recipes/gpyreg/recipe.yaml")
    assert made.git(fork, "log", "-1", "--format=%s", "gpyreg-recipe") == "Add gpyreg" and "  name: gpyreg" in recipe

    stale = recipe.replace("    - numpy", "    - attrs\n    - numpy") + "\n"
    made.repository("conda-forge/gpyreg-feedstock", {"recipe/recipe.yaml": stale})
    made.git(made.root / "conda-forge/gpyreg-feedstock.git", "update-ref", "refs/pull/7/head", "main")
    made.fork("conda-forge/gpyreg-feedstock", "someone")
    feedstock = made.clone("someone/gpyreg-feedstock", "conda-forge/gpyreg-feedstock", tmp_path)
    for words in IN_FEEDSTOCK:
        assert "attrs" in shell(block(words), feedstock, made)
    assert "attrs" in made.git(feedstock, "show", "HEAD:recipe/recipe.yaml"), "requirements are for a person"


def test_by_hand(made: Hub, tmp_path: Path) -> None:
    """The recipe itself comes from the command: grayskull can't write v1 without conda."""
    need_network()
    for words in BEFORE:
        shell(block(words), tmp_path, made)
    for words in BY_HAND:
        shell(block(words), tmp_path / "staged-recipes", made)
    fork = made.root / "someone" / "staged-recipes.git"
    assert made.git(fork, "show", "--format=%s", "--name-only", "gpyreg-recipe").split("\n") == [
        "Add gpyreg", "", "recipes/gpyreg/recipe.yaml"]
    parent = made.git(fork, "rev-parse", "gpyreg-recipe~1")
    assert parent == made.git(made.root / "conda-forge" / "staged-recipes.git", "rev-parse", "main")
