"""Real packages of PyPI, of each common build backend: their recipes made, linted clean, built and compared.

`handbook recipe build` prints the seconds of each stage. The chapter's test does the same with gpyreg (setuptools).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tooling.tests.conftest import run
from tooling.tests.recipe.samples import need_network

pytestmark = pytest.mark.long

# The package and its build backend, as its recipe must name it.
QUICK = {"httpx": "hatchling", "class-resolver": "uv-build"}
REST = {"gpyreg": "setuptools", "pyvbmc": "setuptools", "click": "flit-core", "rich": "poetry-core",
        "findpython": "pdm-backend", "pluggy": "setuptools"}


def whole_way(name: str, backend: str, folder: Path) -> None:
    """Make, lint, build, test, install and compare the recipe of a project on PyPI."""
    made = run("recipe", "new", name, "--maintainer", "someone", cwd=folder)
    assert made.returncode == 0, made.stderr
    path = folder / "recipes" / name
    assert f"\n    - {backend}" in (path / "recipe.yaml").read_text(encoding="utf-8")
    linted = run("recipe", "lint", path, "--format", "json", cwd=folder)
    found = json.loads(linted.stdout)
    # A mirror of PyPI may not serve the lasting address of the source, and tests do not ask GitHub for people.
    # Nothing but conda-forge's own package warns.
    codes = {one["code"] for one in found["findings"]}
    assert linted.returncode == 0 and codes - {"RCP068"} == {"RCP076", "RCP043"}, linted.stdout
    assert found["counts"]["error"] == 0 and found["counts"]["warning"] == 1
    done = run("recipe", "build", path, cwd=folder)
    print(done.stderr)
    assert done.returncode == 0 and "built, tested, installed and imported" in done.stderr, done.stderr
    assert len(list(folder.glob(f"output/noarch/{name}-*.conda"))) == 1
    same = run("recipe", "diff", path, cwd=folder)
    assert same.returncode == 0 and "no findings" in same.stderr, same.stderr


@pytest.mark.parametrize("name", QUICK)
def test_a_package_of_pypi(name: str, tmp_path: Path) -> None:
    need_network()
    whole_way(name, QUICK[name], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", REST)
def test_the_other_packages(name: str, tmp_path: Path) -> None:
    need_network()
    whole_way(name, REST[name], tmp_path)
