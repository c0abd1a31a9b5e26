"""`diff`, `update` and `submit`: a recipe against its release, and what is proposed in which words."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tooling.tests.conftest import run
from tooling.tests.recipe.samples import Release, serving, stale, v1, write

NEW = Release(version="1.3.0", requires=("click>=8.2", "rich>=13"), python=">=3.12")


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def repository(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "A")
    git(folder, "config", "user.email", "a@example.org")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


def test_a_feedstock_is_updated(tmp_path: Path) -> None:
    feedstock = repository(tmp_path / "demo-feedstock", {"recipe/recipe.yaml": stale("v1"), "conda-forge.yml": ""})
    with serving(dict([NEW.sdist(), NEW.wheel()])) as address:
        done = run("recipe", "update", feedstock, "--index", address)
        assert done.returncode == 0, done.stderr
        assert git(feedstock, "branch", "--show-current") == "update-1.3.0"
        assert git(feedstock, "log", "-1", "--format=%s") == "demo 1.3.0" and not git(feedstock, "status", "--short")
        text = (feedstock / "recipe" / "recipe.yaml").read_text(encoding="utf-8")
        assert "number: 0" in text and '"1.3.0"' in text and "- rich >=13" in text and "attrs" not in text
        assert "[x] Reset the build number" in done.stdout and "please rerender" in done.stdout
        assert "[ ] Re-rendered" in done.stdout
        again = run("recipe", "update", feedstock, "--index", address)
    assert again.returncode == 0 and "nothing to do" in again.stderr


def test_a_recipe_is_submitted(tmp_path: Path) -> None:
    clone = repository(tmp_path / "staged-recipes", {"recipes/example/recipe.yaml": "{}\n"})
    text = v1().replace("- someone", "- someone\n    - another")
    path = write(tmp_path, text)
    done = run("recipe", "submit", path.parent, "--clone", clone)
    assert done.returncode == 0, done.stderr
    assert git(clone, "branch", "--show-current") == "demo-recipe" and git(clone, "show", "--format=", "--name-only",
                                                                          "HEAD") == "recipes/demo/recipe.yaml"
    assert (clone / "recipes/demo/recipe.yaml").read_text(encoding="utf-8") == text
    for words in ("[x] Build number is 0", "[ ] License file is packaged", "[ ] GitHub users listed",
                  "[x] Source is from official source", "[ ] Package does not vendor",
                  "I am willing to be listed as a maintainer of demo", "Comment from another",
                  "@conda-forge-admin, please ping conda-forge/help-python", "@conda-forge/help-python, ready"):
        assert words in done.stdout
    assert (clone / ".git" / "handbook-pull-request.md").read_text(encoding="utf-8") in done.stdout
    again = run("recipe", "submit", path.parent, "--clone", clone)
    assert again.returncode == 2 and "is there already" in again.stderr


def test_a_recipe_with_errors_is_not_submitted(tmp_path: Path) -> None:
    clone = repository(tmp_path / "staged-recipes", {"recipes/example/recipe.yaml": "{}\n"})
    done = run("recipe", "submit", write(tmp_path, v1().replace("license: MIT", "license: Own")), "--clone", clone)
    assert done.returncode == 1 and "RCP041" in done.stderr and git(clone, "branch", "--show-current") == "main"


def test_what_is_no_clone_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "here", v1())
    other = repository(tmp_path / "other", {"README.md": "x\n"})
    dirty = repository(tmp_path / "dirty", {"recipes/example/recipe.yaml": "{}\n"})
    (dirty / "recipes/example/recipe.yaml").write_text("changed\n", encoding="utf-8")
    for clone, words in ((tmp_path / "none", "there is no folder"), (other, "is no clone of"),
                         (dirty, "has changes that aren't committed")):
        done = run("recipe", "submit", path, "--clone", clone)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    without_gh = repository(tmp_path / "clone", {"recipes/example/recipe.yaml": "{}\n"})
    done = run("recipe", "submit", path, "--clone", without_gh, "--gh")
    assert done.returncode == 2 and "git push failed" in done.stderr
