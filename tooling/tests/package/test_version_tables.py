"""The first versions of build backends that `backends.toml` names: each is tried, and so is the one before."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from labhandbook.package.machine import installer_env, uv_program
from labhandbook.package.version_tables import minimum
from tooling.tests.conftest import LACKS
from tooling.tests.package.sample_packages import download, git, write

BACKENDS = {"setuptools": "setuptools.build_meta", "hatchling": "hatchling.build", "flit-core": "flit_core.buildapi",
            "pdm-backend": "pdm.backend", "poetry-core": "poetry.core.masonry.api", "meson-python": "mesonpy",
            "scikit-build-core": "scikit_build_core.build"}
PYPROJECT = """[build-system]
requires = ["REQUIRES"]
build-backend = "BACKEND"

[project]
name = "demo"
version = "1.0"
description = "A demo."
license = "MIT"
license-files = ["LICENSE"]

[tool.scikit-build]
wheel.cmake = false
wheel.packages = ["demo"]
"""
FILES = {"LICENSE": "MIT\n", "demo/__init__.py": '"""A demo."""\n\n__version__ = "1.0"\n',
         "meson.build": "project('demo', version: '1.0')\nimport('python').find_installation()"
                        ".install_sources('demo/__init__.py', subdir: 'demo')\n"}


def reads_a_licence(folder: Path, backend: str, requirement: str) -> bool:
    """Whether a build by that version ends well, with the licence where PEP 639 wants it."""
    write(folder, {**FILES, "pyproject.toml": PYPROJECT.replace("REQUIRES", requirement).replace(
        "BACKEND", BACKENDS[backend])})
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Start")
    command = [str(uv_program()), "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir"]
    done = subprocess.run([*command, folder.with_suffix(".out")], cwd=folder, capture_output=True, text=True,
                          env=installer_env(), check=False)
    assert "No solution found" not in done.stderr, done.stderr
    return any(name.endswith("dist-info/licenses/LICENSE") for wheel in folder.with_suffix(".out").glob("*.whl")
               for name in zipfile.ZipFile(wheel).namelist())


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_version_that_reads_a_licence(backend: str, tmp_path: Path) -> None:
    if uv_program() is None:
        pytest.skip(LACKS + "uv")
    if download("click>=8.1") is None:
        pytest.skip(LACKS + "the network")
    first = minimum("licence-expression")[backend]
    # Some of the very first were yanked.
    major, minor, micro = ([int(part) for part in first.split(".")] + [0, 0])[:3]
    assert reads_a_licence(tmp_path / "first", backend, f"{backend}>={first},<{major}.{minor}.{micro + 4}")
    assert not reads_a_licence(tmp_path / "before", backend, f"{backend}<{first}")


def test_every_backend_with_a_first_version_is_tried() -> None:
    assert minimum("licence-expression").keys() - BACKENDS.keys() == {"maturin"}, "which needs Rust"
