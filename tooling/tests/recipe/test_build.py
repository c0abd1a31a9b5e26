"""`handbook recipe build`: what is built, tested and installed here, and what is to blame when it isn't."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from tooling.tests.conftest import run
from tooling.tests.recipe.samples import V0, Release, line_of, need_network, v1, write

# The chapter's test does the same with gpyreg.
QUICK = ["httpx", "click"]
EIGHT = ["gpyreg", "pyvbmc", "httpx", "click", "rich", "findpython", "pluggy", "typer"]
SECONDS = 30


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist of a small package that imports and asks for click."""
    need_network()
    folder = tmp_path_factory.mktemp("dist")
    name, data = Release(files={"demo/__init__.py": "import click\n"}).sdist()
    (folder / name).write_bytes(data)
    return folder / name


def built(sdist: Path, folder: Path, *changes: tuple[str, str]) -> tuple[str, int, str, Path]:
    """Text, exit code, what was said, and the folder of packages, of a recipe with some changes."""
    text = v1().replace("ab" * 32, hashlib.sha256(sdist.read_bytes()).hexdigest())
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    done = run("recipe", "build", write(folder, text), "--sdist", sdist, "--output", folder / "output", cwd=folder)
    assert "Traceback" not in done.stderr
    return text, done.returncode, done.stderr, folder / "output"


def test_a_good_recipe_is_built_and_installed(release: Path, tmp_path: Path) -> None:
    _, code, said, output = built(release, tmp_path, ("        - demo\n", "        - demo\n        - demo.cli\n"),
                                  ("about:\n", "  - script:\n      - demo\n\nabout:\n"))
    assert code == 0, said
    assert len(list(output.glob("noarch/demo-1.2.0-*.conda"))) == 1
    assert "built, tested, installed and imported" in said and "not proven: conda-forge's own packages" in said


@pytest.mark.parametrize(("old", "new", "code", "at", "words"), [
    ("sha256: ", "sha256: 0", "RCP002", "sha256", "checksum"),
    ("    - click >=8.1\n", "", "RCP065", "  run:", "run lacks click"),
    ("        - demo\n", "        - demo\n        - demo.absent\n", "RCP064", "demo.absent", "demo.absent can't be"),
    ("setuptools >=80", "setuptools >=8000", "RCP061", "setuptools", "can't be installed"),
    ("click >=8.1", "click >=8000", "RCP062", "click", "can't be installed"),
    ("    - setuptools >=80", "    - hatchling", "RCP063", "", "setuptools"),
    ("license: MIT", "license: Own Words", "RCP002", "license: Own", "SPDX"),
    ("license_file: LICENSE", "license_file: COPYING", "RCP063", "", ""),
    ("about:\n", "  - script:\n      - demo --help | grep nothing\n\nabout:\n", "RCP066", "- script", ""),
])
def test_what_is_to_blame_is_named(old: str, new: str, code: str, at: str, words: str, release: Path,
                                   tmp_path: Path) -> None:
    text, status, said, output = built(release, tmp_path, (old, new))
    assert status == 1 and not output.exists(), said
    assert f": {code} " in said and words in said
    if at:
        assert f"recipe.yaml:{line_of(text, at)}: {code} " in said, said


def test_another_hash(release: Path, tmp_path: Path) -> None:
    text, status, said, _ = built(release, tmp_path, (hashlib.sha256(release.read_bytes()).hexdigest(), "cd" * 32))
    assert status == 1 and f"recipe.yaml:{line_of(text, 'sha256')}: RCP060 " in said


def test_what_cannot_be_built_here(tmp_path: Path) -> None:
    compiled = v1().replace("  noarch: python\n", "").replace(
        "requirements:\n", 'requirements:\n  build:\n    - ${{ compiler("c") }}\n    - ${{ stdlib("c") }}\n')
    newer = v1().replace('version: "1.2.0"', 'version: "1.2.0"\n  python_min: "3.99"')
    for name, text, words in (("meta.yaml", V0, "a v0 recipe can't be built here"),
                              ("recipe.yaml", compiled, "a compiled package can't be built here"),
                              ("recipe.yaml", newer, "the recipe asks for 3.99")):
        path = write(tmp_path / str(len(words)), text, name)
        done = run("recipe", "build", path, "--output", tmp_path / "output")
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    done = run("recipe", "build", write(tmp_path, v1()), "--index", "http://127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 2 and "can't be asked for demo" in done.stderr and not (tmp_path / "output").exists()


def from_pypi(name: str, folder: Path) -> float:
    """Make, lint, build, test and install the recipe of a project on PyPI; the seconds that it took."""
    since = time.monotonic()
    made = run("recipe", "new", name, "--maintainer", "someone", cwd=folder)
    assert made.returncode == 0, made.stderr
    path = folder / "recipes" / name
    linted = run("recipe", "lint", path, cwd=folder)
    assert linted.returncode == 0 and "no findings" in linted.stderr, linted.stdout
    done = run("recipe", "build", path, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert list(folder.glob(f"output/noarch/{name}-*.conda"))
    same = run("recipe", "diff", path, cwd=folder)
    assert same.returncode == 0 and "no findings" in same.stderr, same.stderr
    return time.monotonic() - since


@pytest.mark.parametrize("name", QUICK)
def test_a_package_of_pypi(name: str, tmp_path: Path) -> None:
    need_network()
    from_pypi(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", EIGHT)
def test_eight_packages_each_in_half_a_minute(name: str, tmp_path: Path) -> None:
    need_network()
    seconds = from_pypi(name, tmp_path)
    print(f"{name}: {seconds:.1f} s")
    assert seconds < SECONDS
