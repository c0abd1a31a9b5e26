"""`submit` and `update` in clones of bare repositories: what is committed, pushed and said to people and bots."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tooling.tests.recipe.local_github import Hub, hub
from tooling.tests.recipe.samples import V0, Release, serving, stale, v1, write

pytestmark = pytest.mark.walk

NEW = Release(version="1.3.0", requires=("click>=8.2", "rich>=13"), python=">=3.12")
GH = '#!/bin/sh\nprintf "%s\\n" "$@" > "$(dirname "$0")/asked"\necho https://github.com/conda-forge/x/pull/1\n'


@pytest.fixture
def world(tmp_path: Path) -> tuple[Hub, Path]:
    """A hub and a clone of someone's fork of staged-recipes."""
    made = hub(tmp_path)
    return made, made.clone("someone/staged-recipes", "conda-forge/staged-recipes", tmp_path)


def feedstock(made: Hub, folder: Path, text: str, owner: str = "someone") -> Path:
    """A clone of a fork of demo's feedstock, or of the feedstock itself."""
    made.repository("conda-forge/demo-feedstock", {"recipe/recipe.yaml": text, "conda-forge.yml": ""})
    if owner != "conda-forge":
        made.fork("conda-forge/demo-feedstock", owner)
    return made.clone(f"{owner}/demo-feedstock", "conda-forge/demo-feedstock", folder)


def test_a_recipe_is_submitted_and_pushed(world: tuple[Hub, Path], tmp_path: Path) -> None:
    made, clone = world
    text = v1().replace("- someone", "- someone\n    - another").replace(
        "license_file: LICENSE", "license_file:\n    - LICENSE\n    - OURS")
    path = write(tmp_path, text)
    (path.parent / "OURS").write_text("Terms.\n", encoding="utf-8")
    (path.parent / "output").mkdir()
    (path.parent / "output" / "demo.conda").touch()
    done = made.run("recipe", "submit", path.parent, "--clone", clone)
    assert done.returncode == 0, done.stderr
    assert made.git(clone, "branch", "--show-current") == "demo-recipe" and not made.git(clone, "status", "--short")
    assert made.git(clone, "show", "--format=%s", "--name-only").split("\n") == [
        "Add demo", "", "recipes/demo/OURS", "recipes/demo/recipe.yaml"]
    assert made.git(clone, "rev-parse", "HEAD~1") == made.git(clone, "rev-parse", "upstream/main"), "the fork is old"
    assert (clone / "recipes/demo/recipe.yaml").read_text(encoding="utf-8") == text
    last = done.stderr.splitlines()[-1]
    assert "next: git push --set-upstream origin demo-recipe" in last
    made.git(clone, "push", "--set-upstream", "origin", "demo-recipe")
    fork = made.root / "someone" / "staged-recipes.git"
    assert made.git(fork, "show", "demo-recipe:recipes/demo/recipe.yaml") + "\n" == text


def test_the_checklist_is_the_clones_and_ticked_honestly(world: tuple[Hub, Path], tmp_path: Path) -> None:
    made, clone = world
    path = write(tmp_path, v1().replace("- someone", "- someone\n    - another"))
    said = made.run("recipe", "submit", path, "--clone", clone).stdout
    ticks = {line[6:].partition(".")[0]: line[3] for line in said.splitlines() if line.startswith("- [")}
    assert ticks == {
        "Title of this PR is meaningful": "x", "Recipe uses the v1 `recipe": "x", "License file is packaged": " ",
        "Source is from official source": "x", "Package does not vendor other packages": " ",
        "Package does not ship static libraries": "x", "Build number is 0": "x",
        "A tarball (`url`) rather than a repo is used in your recipe": "x",
        "GitHub users listed in the maintainer section have posted a comment": " ",
        "Something that was asked for the first time yesterday": " "}
    assert "no item" not in said
    assert "@another: are you willing to be listed as a maintainer of demo?" in said
    assert "  for another to answer:\n    I am willing to be listed as a maintainer of demo.\n" in said
    assert "for someone to answer" not in said, "the fork is someone's own"
    for words in ("@conda-forge-admin, please restart ci", "@conda-forge-admin, please ping conda-forge/help-python",
                  "@conda-forge/help-python, ready for review!"):
        assert f"    {words}\n" in said
    assert (clone / ".git" / "handbook-pull-request.md").read_text(encoding="utf-8") in said


def test_alone_no_consent_is_open(world: tuple[Hub, Path], tmp_path: Path) -> None:
    made, clone = world
    said = made.run("recipe", "submit", write(tmp_path, v1()), "--clone", clone).stdout
    assert "[x] GitHub users listed" in said and "willing" not in said


def test_steps_by_hand_may_come_first(world: tuple[Hub, Path]) -> None:
    made, clone = world
    made.git(clone, "switch", "--quiet", "--create", "demo-recipe", "upstream/main")
    path = write(clone, v1())
    done = made.run("recipe", "submit", path.parent, cwd=clone)
    assert done.returncode == 0 and made.git(clone, "show", "--format=", "--name-only") == "recipes/demo/recipe.yaml"


def test_gh_opens_it_only_when_asked(world: tuple[Hub, Path], tmp_path: Path) -> None:
    made, clone = world
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(GH, encoding="utf-8")
    program.chmod(0o755)
    env = {"PATH": f"{program.parent}:/usr/bin:/bin"}
    path = write(tmp_path, v1())
    assert made.run("recipe", "submit", path, "--clone", clone, "--branch", "quiet", env=env).returncode == 0
    assert not (program.parent / "asked").exists() and "quiet" not in made.git(
        made.root / "someone" / "staged-recipes.git", "branch", "--list")
    done = made.run("recipe", "submit", path, "--clone", clone, "--gh", env=env)
    assert done.returncode == 0 and "opened https://github.com/conda-forge/x/pull/1" in done.stderr
    asked = (program.parent / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[:6] == ["pr", "create", "--repo", "conda-forge/staged-recipes", "--title", "Add demo"]
    assert asked[-2:] == ["--head", "someone:demo-recipe"]
    assert "demo-recipe" in made.git(made.root / "someone" / "staged-recipes.git", "branch", "--list")


def test_what_cannot_be_submitted(world: tuple[Hub, Path], tmp_path: Path) -> None:
    made, clone = world
    path = write(tmp_path / "here", v1())
    other = made.clone("someone/staged-recipes", "conda-forge/staged-recipes", tmp_path / "hub")
    (other / "recipes/example-v1/recipe.yaml").write_text("changed\n", encoding="utf-8")
    feed = feedstock(made, tmp_path, v1())
    taken = made.clone("someone/staged-recipes", "conda-forge/staged-recipes", tmp_path / "here")
    write(taken, v1())
    nameless = {"GIT_CONFIG_VALUE_2": "", "GIT_CONFIG_VALUE_3": "", "EMAIL": ""}
    refused: list[tuple[Path, str, dict[str, str]]] = [
        (tmp_path / "none", "there is no folder", {}), (tmp_path, "it is in no git repository", {}),
        (feed, "is not a clone of your fork of staged-recipes", {}),
        (other, "has uncommitted changes: recipes/example-v1/recipe.yaml", {}),
        (taken, "recipes/demo is there already", {}), (clone, "git has no name and e-mail for you", nameless)]
    for place, words, env in refused:
        done = made.run("recipe", "submit", path, "--clone", place, env=env)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr, done.stderr
    broken = write(tmp_path / "broken", v1().replace("license: MIT", "license: Own"))
    done = made.run("recipe", "submit", broken, "--clone", clone)
    assert done.returncode == 1 and "RCP041" in done.stderr
    assert made.git(clone, "branch", "--list").split() == ["*", "main"], "nothing was changed"
    made.git(clone, "branch", "demo-recipe")
    done = made.run("recipe", "submit", path, "--clone", clone)
    assert done.returncode == 2 and "the branch demo-recipe is there already" in done.stderr


def test_a_feedstock_is_updated(tmp_path: Path) -> None:
    """Version, hash and build number change; requirements are listed for a person, here and in the pull request."""
    made, before = hub(tmp_path), stale("v1")
    clone = feedstock(made, tmp_path, before)
    with serving(dict([NEW.sdist(), NEW.wheel()])) as address:
        done = made.run("recipe", "update", clone, "--index", address)
        assert done.returncode == 1, done.stderr
        assert made.git(clone, "branch", "--show-current") == "update-1.3.0"
        assert made.git(clone, "log", "-1", "--format=%s") == "demo 1.3.0"
        assert not made.git(clone, "status", "--short")
        text = (clone / "recipe" / "recipe.yaml").read_text(encoding="utf-8")
        digest = hashlib.sha256(NEW.sdist()[1]).hexdigest()
        assert text == before.replace("1.2.0", "1.3.0").replace("ab" * 32, digest).replace("number: 2", "number: 0")
        for words in ("[x] Used a [personal fork", "[ ] Bumped the build number", "[x] Reset the build number",
                      "[ ] [Re-rendered]", "[x] Ensured the license file", "@conda-forge-admin, please rerender\n"):
            assert words in done.stdout
        changed, _, left = done.stdout.partition("Differences from the release that remain:")
        assert "the release is 1.3.0" in changed and "run lacks rich" not in changed
        assert "- run lacks rich >=13\n" in left and "RCP050 run lacks rich >=13" in done.stderr
        again = made.run("recipe", "update", clone, "--index", address)
    assert again.returncode == 1 and "differs from demo 1.3.0, and nothing was changed" in again.stderr
    assert made.git(clone, "rev-list", "--count", "main..HEAD") == "1", "nothing is committed without a change"
    made.git(clone, "push", "--quiet", "--set-upstream", "origin", "update-1.3.0")


def test_a_recipe_that_agrees_is_left_alone(tmp_path: Path) -> None:
    made, same = hub(tmp_path), Release(requires=("click>=8.1",))
    clone = feedstock(made, tmp_path, v1().replace("ab" * 32, hashlib.sha256(same.sdist()[1]).hexdigest()))
    with serving(dict([same.sdist(), same.wheel()])) as address:
        done = made.run("recipe", "update", clone, "--index", address)
    assert done.returncode == 0 and "nothing to do" in done.stderr, done.stderr


@pytest.mark.parametrize(("text", "before", "after"), [
    (v1(), "  number: 0", "  number: 1"),
    (v1().replace("number: 0", "number: ${{ build }}").replace('  version: "', '  build: 4\n  version: "'),
     "  build: 4", "  build: 5"),
])
def test_the_build_number_alone_is_raised(text: str, before: str, after: str, tmp_path: Path) -> None:
    made = hub(tmp_path)
    clone = feedstock(made, tmp_path, text)
    done = made.run("recipe", "update", clone, "--build-number")
    assert done.returncode == 0, done.stderr
    assert (clone / "recipe" / "recipe.yaml").read_text(encoding="utf-8") == text.replace(before, after)
    assert made.git(clone, "log", "-1", "--format=%s") == "Build demo 1.2.0 again"
    assert "[x] Bumped the build number" in done.stdout and "[ ] Ensured the license file" in done.stdout


def test_a_computed_build_number_is_for_a_person(tmp_path: Path) -> None:
    made = hub(tmp_path)
    text = v1().replace("number: 0", 'number: ${{ 0 if cuda == "None" else 200 }}')
    clone = feedstock(made, tmp_path, text)
    done = made.run("recipe", "update", clone, "--build-number")
    assert done.returncode == 2 and "the build number is ${{ 0 if cuda" in done.stderr and "by hand" in done.stderr


def test_an_update_that_breaks_the_recipe_is_refused(tmp_path: Path) -> None:
    """`version: {{ version }}` without quotes becomes a number with 1.10."""
    made, new = hub(tmp_path), Release(version="1.10", requires=("click>=8.1",))
    with serving(dict([new.sdist(), new.wheel()])) as address:
        text = V0.replace("https://example.org", address)
        made.repository("conda-forge/demo-feedstock", {"recipe/meta.yaml": text, "conda-forge.yml": ""})
        made.fork("conda-forge/demo-feedstock", "someone")
        clone = made.clone("someone/demo-feedstock", "conda-forge/demo-feedstock", tmp_path)
        done = made.run("recipe", "update", clone, "--index", address)
    assert done.returncode == 2 and "RCP011 1.10 is a number here" in done.stderr, done.stderr
    assert (clone / "recipe" / "meta.yaml").read_text(encoding="utf-8") == text
    assert made.git(clone, "status", "--porcelain", "--branch").startswith("## main")


def test_another_hash_of_the_same_version_gets_a_new_build(tmp_path: Path) -> None:
    made, same = hub(tmp_path), Release(requires=("click>=8.1",))
    clone = feedstock(made, tmp_path, stale("v1"), owner="conda-forge")
    with serving(dict([same.sdist(), same.wheel()])) as address:
        done = made.run("recipe", "update", clone, "--index", address)
    text = (clone / "recipe" / "recipe.yaml").read_text(encoding="utf-8")
    assert done.returncode == 0 and "number: 3" in text and "attrs" in text, done.stderr
    assert made.git(clone, "log", "-1", "--format=%s") == "Correct the recipe of demo 1.2.0"
    for words in ("[ ] Used a [personal fork", "[x] Bumped the build number", "[ ] Reset the build number",
                  "- run: the release doesn't require attrs"):
        assert words in done.stdout
