"""Tests of the research projects beside their own suites: their layout, on Slurm, with the kit.

Those that run a project need the environment of `make test-research`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tooling.tests.conftest import LACKS, ROOT
from tooling.tests.hpc.slurm import Slurm, started

PROJECTS = sorted(path.parent for path in ROOT.glob("chapters/research/*/pyproject.toml"))


@pytest.fixture(scope="session")
def research() -> Path:
    """The environment that holds the projects and their libraries; its `bin` folder holds python3."""
    lacking = [project.name for project in PROJECTS if find_spec(f"mhi_{project.name}") is None]
    if lacking or find_spec("torch") is None:
        pytest.skip(LACKS + "the research projects in this environment (make test-research)")
    return Path(sys.prefix)


@pytest.fixture(params=PROJECTS, ids=[project.name for project in PROJECTS])
def project(request: pytest.FixtureRequest) -> Path:
    """Each project's folder in turn."""
    folder: Path = request.param
    return folder


@pytest.fixture(scope="session")
def slurm(research: Path) -> Iterator[Slurm]:
    """LUMI's partitions on this machine, for those who have the projects to run there."""
    with started("lumi") as running:
        yield running
