"""Packages that aren't published yet and need each other: recipes from a folder of dists, and built with it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.recipe.local_dists import gather
from tooling.tests.conftest import LACKS, run
from tooling.tests.recipe.samples import LICENCE, line_of, need_network

pytestmark = pytest.mark.long

PYTHON = "{}.{}".format(*sys.version_info)


def project(folder: Path, name: str, version: str, needs: list[str], code: str) -> Path:
    """The source tree of a package."""
    module = name.replace("-", "_")
    (folder / name / "src" / module).mkdir(parents=True)
    (folder / name / "src" / module / "__init__.py").write_text(code, encoding="utf-8")
    (folder / name / "LICENSE").write_text(LICENCE, encoding="utf-8")
    (folder / name / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\ndescription = "One of two."\nlicense = "MIT"\n'
        f'license-files = ["LICENSE"]\nrequires-python = ">=3.11"\ndependencies = {needs}\n', encoding="utf-8")
    return folder / name


def dists(folder: Path, *projects: Path) -> Path:
    """The folder with the sdists and wheels of some projects."""
    for one in projects:
        subprocess.run([Path(sys.executable).with_name("uv"), "build", "--quiet", "--no-config", "--out-dir",
                        folder / "dist", one], check=True, timeout=300)
    return folder / "dist"


def recipe(folder: Path, name: str) -> Path:
    """The recipe of an sdist in the folder's dist/, without a fault."""
    made = run("recipe", "new", f"dist/{name.replace('-', '_')}-0.2.0.tar.gz", "--maintainer", "someone", cwd=folder)
    assert made.returncode == 0, made.stderr
    assert "has no" in made.stderr and "publish this file before you propose the recipe" in made.stderr
    assert f"next: handbook recipe build recipes/{name} --dist dist;" in made.stderr
    linted = run("recipe", "lint", f"recipes/{name}", "--offline", "--format", "json", cwd=folder)
    found = json.loads(linted.stdout)
    warned = [one for one in found["findings"] if one["severity"] == "warning"]
    assert linted.returncode == found["counts"]["error"] == 0, linted.stdout
    assert [one["code"] for one in warned] == ["RCP075"] and "mhi-trial-base" in warned[0]["message"], linted.stdout
    return folder / "recipes" / name / "recipe.yaml"


def test_one_unpublished_package_needs_another(tmp_path: Path) -> None:
    need_network()
    base = project(tmp_path, "mhi-trial-base", "0.2.0", ["click>=8.1"], "import click\nWORD = 'base'\n")
    top = project(tmp_path, "mhi-trial-top", "0.2.0", ["mhi-trial-base>=0.2", "torch>=2.5; sys_platform == 'never'"],
                  "from mhi_trial_base import WORD\nif WORD != 'base':\n    raise ImportError(f'it is {WORD}')\n")
    folder = dists(tmp_path, base, top)
    path = recipe(tmp_path, "mhi-trial-top")
    text = path.read_text(encoding="utf-8")

    alone = run("recipe", "build", path, "--dist", next(folder.glob("mhi_trial_top*.tar.gz")), cwd=tmp_path)
    assert alone.returncode == 1, alone.stderr
    assert f"recipe.yaml:{line_of(text, '- mhi-trial-base')}: RCP062 mhi-trial-base >=0.2 can't be" in alone.stderr
    assert "name its folder with --dist" in alone.stderr

    together = run("recipe", "build", path, "--dist", "dist", cwd=tmp_path)
    assert together.returncode == 0, together.stderr
    assert "that others can get mhi-trial-base==0.2.0: this machine's files were used" in together.stderr
    assert list(tmp_path.glob("output/noarch/mhi-trial-top-0.2.0-*.conda"))

    path.write_text(text.replace("mhi-trial-base >=0.2", "mhi-trial-base >=0.3"), encoding="utf-8")
    newer = run("recipe", "build", path, "--dist", "dist", cwd=tmp_path)
    assert newer.returncode == 1 and ": RCP062 mhi-trial-base >=0.3 can't be installed" in newer.stderr

    # The same version built again, this time as an sdist alone: what was kept of the first must not be used.
    path.write_text(text, encoding="utf-8")
    (base / "src" / "mhi_trial_base" / "__init__.py").write_text("WORD = 'other'\n", encoding="utf-8")
    dists(tmp_path, base)
    next(folder.glob("mhi_trial_base*.whl")).unlink()
    again = run("recipe", "build", path, "--dist", "dist", cwd=tmp_path)
    assert again.returncode == 1 and ": RCP064 mhi_trial_top can't be imported: it is other" in again.stderr


def test_the_sdists_own_tests_are_run(tmp_path: Path) -> None:
    need_network()
    own = project(tmp_path, "mhi-trial-top", "0.2.0", [], "WORD = 'top'\n")
    (own / "tests").mkdir()
    (own / "tests" / "test_word.py").write_text(
        "from mhi_trial_top import WORD\n\n\ndef test_it():\n    assert WORD == 'other'\n", encoding="utf-8")
    dists(tmp_path, own)
    made = run("recipe", "new", "dist/", "--maintainer", "someone", "--pytest", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    done = run("recipe", "build", "recipes/mhi-trial-top", "--dist", "dist", cwd=tmp_path)
    text = (tmp_path / "recipes" / "mhi-trial-top" / "recipe.yaml").read_text(encoding="utf-8")
    assert f"recipe.yaml:{line_of(text, '- pytest tests')}: RCP066 pytest tests ended with status 1: " in done.stderr
    assert done.returncode == 1 and "FAILED tests/test_word.py::test_it" in done.stderr


def test_the_newest_dist_that_installs_here_counts(tmp_path: Path) -> None:
    for name in ("a-1.0-py3-none-any.whl", "a-1.1.tar.gz", "a-1.0.tar.gz", "b-2.0-cp38-cp38-win_amd64.whl",
                 "c-1.0-py3-none-any.whl", "c-1.0.tar.gz", "notes.txt", "no-version.whl"):
        (tmp_path / name).touch()
    found = gather([tmp_path], PYTHON)
    assert {name: dist.path.name for name, dist in found.newest.items()} == {
        "a": "a-1.1.tar.gz", "c": "c-1.0-py3-none-any.whl"}
    assert sorted(found.sdists) == ["a-1.0.tar.gz", "a-1.1.tar.gz", "c-1.0.tar.gz"]
    assert found.constraints == ["a==1.1", "c==1.0"]
    assert found.find("A", "1.1.0") == tmp_path / "a-1.1.tar.gz" and found.find("a", "1.0") is None
    with pytest.raises(HandbookError, match="there is no"):
        gather([tmp_path / "absent"], PYTHON)


@pytest.mark.slow
def test_torch_is_pytorch_and_its_own_wheel_will_do(tmp_path: Path) -> None:
    need_network()
    wheels = Path(os.environ.get("PIP_FIND_LINKS", "."))
    if not any(re.match(r"torch-.*\+cpu-", path.name) for path in wheels.glob("*.whl")):
        pytest.skip(LACKS + "a wheel of torch without CUDA in PIP_FIND_LINKS")
    dists(tmp_path, project(tmp_path, "mhi-trial-top", "0.2.0", ["torch>=2.5"], "import torch\n"))
    path = recipe(tmp_path, "mhi-trial-top")
    assert "- pytorch >=2.5\n" in path.read_text(encoding="utf-8")
    done = run("recipe", "build", path, "--dist", "dist", "--dist", wheels, cwd=tmp_path, timeout=600)
    assert done.returncode == 0 and "that others can get torch==" in done.stderr, done.stderr
