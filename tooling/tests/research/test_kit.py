"""The kit on the six projects: rehearsed with labhandbook, on which they depend, and brought to conda-forge.

What the machine lends to a rehearsal is the index from which it takes everything else, PyTorch with CUDA included.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from labhandbook.package.project import load_project
from labhandbook.package.version import version_of
from labhandbook.release.release_folder import State
from tooling.tests.conftest import LACKS, ROOT, run
from tooling.tests.package.sample_packages import git
from tooling.tests.recipe.samples import need_network
from tooling.tests.release.own_packages import QUICK, VERSION, ready

PAGE = "chapters/research/index.qmd"
PYTHON = "3.{}".format(*sys.version_info[1:])
TAGS = ("v" + VERSION, *(f"{name}-v{VERSION}" for name in QUICK))
# What each recipe has to say beside its name: the build backend, and a dependency by conda-forge's name.
SAYS = {"driving": ("hatchling >=1.26", "pytorch >=2.6"), "selfplay": ("setuptools >=80", "pytorch >=2.6"),
        "eras": ("flit-core >=3.11,<5", "numerapi >=3.1"), "phrases": ("uv-build >=0.9,<1", "skops >=0.11"),
        "gp": ("pdm-backend >=2.4", "scipy >=1.12"), "bo": ("poetry-core >=2.1", "mhi-gp >=0.1")}
# Gigabytes that PyTorch takes with CUDA, of two versions, in the installer's cache and while they are unpacked.
ROOM = 20


def block() -> str:
    """The command of the kit that the research page prints."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    (found,) = re.findall(r"^```\{\.bash[^\n]*\n(handbook .*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found).strip()


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the page as a reader would who pasted it."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    return subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=env, capture_output=True,
                          text=True, check=False)


def tried(root: Path) -> list[str]:
    """What became of each environment of a package in its rehearsal, from its ledger."""
    project = load_project(root, ask_remote=False)
    return [each["result"] for each in State(project, VERSION).ledger().entries["test"]["facts"]["environments"]]


def dists(root: Path, folder: Path) -> Path:
    """The folder `dist` below a folder, with the files of all packages that were rehearsed in a repository."""
    target = folder / "dist"
    target.mkdir()
    for path in root.glob("**/handbook/**/release/*/dist/*"):
        shutil.copy2(path, target)
    return target


def recipe(name: str, folder: Path, *more: str | Path) -> None:
    """Make the recipe of a project's sdist in `dist`, look at it as a reviewer would, build, test and install it."""
    package = f"mhi-{name}"
    made = run("recipe", "new", f"dist/mhi_{name}-{VERSION}.tar.gz", "--maintainer", "someone", "--test-command",
               f"{package} --help", cwd=folder)
    assert made.returncode == 0, made.stderr
    text = (folder / "recipes" / package / "recipe.yaml").read_text(encoding="utf-8")
    page = f"https://acerbilab.github.io/handbook/chapters/research/{name}/"
    for words in (*SAYS[name], "labhandbook >=0.1", f"- {package} = mhi_{name}.", "license: BSD-3-Clause",
                  "license_file: LICENSE", f"homepage: {page}", f"/packages/source/m/{package}/mhi_{name}-${{{{",
                  "noarch: python", f"- {package} --help"):
        assert words in text, text
    assert "description:" not in text, "these READMEs open with no paragraph that describes the package alone"
    linted = run("recipe", "lint", f"recipes/{package}", "--offline", "--format", "json", cwd=folder)
    found = json.loads(linted.stdout)
    counts, warned = found["counts"], [one for one in found["findings"] if one["severity"] == "warning"]
    assert linted.returncode == counts["error"] == 0, linted.stdout
    assert [one["code"] for one in warned] == ["RCP075"] and "labhandbook" in warned[0]["message"], linted.stdout
    options = [word for path in ("dist", *more) for word in ("--dist", path)]
    built = run("recipe", "build", f"recipes/{package}", *options, cwd=folder, timeout=1800)
    assert built.returncode == 0, built.stderr
    assert f"labhandbook=={VERSION}" in built.stderr, "it came from this machine"
    assert len(list(folder.glob(f"output/noarch/{package}-{VERSION}-*.conda"))) == 1


def test_the_tag_of_a_project_says_nothing_of_labhandbook(tmp_path: Path) -> None:
    """Neither in the repository nor in an archive of it, as a host makes them."""
    root = ready(tmp_path / "handbook", "v0.1.0", "phrases-v0.9.0")
    assert version_of(load_project(root, ask_remote=False)) == "0.1.0"
    assert version_of(load_project(root / "chapters/research/phrases", ask_remote=False)) == "0.1.0"
    archive = git(root, "archive", "HEAD", ".git_archival.txt")
    assert "describe-name: v0.1.0\n" in archive
    git(root, "tag", "--delete", "v0.1.0")
    assert version_of(load_project(root, ask_remote=False)).startswith("0.1.dev")


def test_a_project_is_rehearsed_and_its_recipe_built(research: Path, tmp_path: Path) -> None:
    need_network()
    root = ready(tmp_path / "handbook", *TAGS)
    done = run("release", "rehearse", "chapters/research/phrases", ".", "--offline", "--no-lowest",
               "--python", PYTHON, cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.index("labhandbook 0.1.0: wait") < done.stderr.index("mhi-phrases 0.1.0: build")
    assert len(tried(root / "chapters/research/phrases")) == 2
    assert all("1 test passed" in each for each in tried(root / "chapters/research/phrases"))
    dists(root, tmp_path)
    recipe("phrases", tmp_path)


@pytest.mark.slow
def test_a_commit_without_tags_is_rehearsed_as_the_page_says(research: Path, tmp_path: Path) -> None:
    need_network()
    root = ready(tmp_path / "handbook")
    done = shell(block().replace("chapters/research", "chapters/research/eras"), root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mhi-eras 0.1.0: all steps passed" in done.stderr and "labhandbook 0.1.dev1" in done.stderr
    assert done.stderr.count(": 13 tests passed") >= 4, "wheel, sdist, lowest dependencies, and back from the index"
    assert not git(root, "tag", "--list")


@pytest.mark.slow
def test_all_six_are_rehearsed_together_and_their_recipes_built(research: Path, tmp_path: Path) -> None:
    """The command as the page prints it: each suite in each environment, once with the lowest dependencies."""
    need_network()
    if shutil.disk_usage(tmp_path).free < ROOM * 2**30:
        pytest.skip(LACKS + f"{ROOM} GB of disk, which PyTorch takes with CUDA")
    root = ready(tmp_path / "handbook", *TAGS)
    done = shell(block(), root)
    assert done.returncode == 0, done.stdout + done.stderr
    order = [done.stderr.index(f"{name} 0.1.0: wait") for name in ("labhandbook", *(f"mhi-{name}" for name in QUICK))]
    assert order[0] == min(order)
    for name in QUICK:
        results = tried(root / "chapters/research" / name)
        assert "with the lowest dependencies" in results[-1] and len(results) >= 3
        assert all(re.search(r": [1-9]\d* tests? passed", each) for each in results), results
    dists(root, tmp_path)
    for name in ("eras", "phrases", "gp", "bo"):
        recipe(name, tmp_path)
    wheels = Path(os.environ.get("PIP_FIND_LINKS", "."))
    if not any(re.match(r"torch-.*\+cpu-", path.name) for path in wheels.glob("*.whl")):
        pytest.skip(LACKS + "a wheel of torch without CUDA in PIP_FIND_LINKS, for the other two recipes")
    for name in ("driving", "selfplay"):
        recipe(name, tmp_path, wheels)
