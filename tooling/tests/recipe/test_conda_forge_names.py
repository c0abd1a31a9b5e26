"""conda-forge's names: which package is which project, and where the mapping is from."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

from labhandbook.recipe import conda_forge_names
from labhandbook.recipe.conda_forge_names import VARIABLE, Names, conda_name, packaged, pypi_name
from tooling.tests.recipe.samples import serving

# Names in recipes of real feedstocks.
REAL = {"stack-data": "stack_data", "linear-operator": "linear_operator", "mypy-extensions": "mypy_extensions",
        "pyproject-hooks": "pyproject_hooks", "ruamel.yaml": "ruamel.yaml", "tzdata": "python-tzdata",
        "blosc2": "python-blosc2", "tables": "pytables", "msgpack": "msgpack-python", "build": "python-build",
        "matplotlib": "matplotlib-base", "astropy": "astropy-base", "torch": "pytorch", "graphviz": "python-graphviz",
        "opencv-python": "py-opencv", "typing-extensions": "typing_extensions", "jsonschema": "jsonschema",
        "importlib-metadata": "importlib-metadata", "pyyaml": "pyyaml", "zope.interface": "zope.interface",
        "jaraco.functools": "jaraco.functools", "scikit-learn": "scikit-learn", "Pillow": "pillow",
        "attrs": "attrs", "hatch-vcs": "hatch-vcs", "setuptools-scm": "setuptools-scm", "flit-core": "flit-core"}


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, and no mapping in memory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    conda_forge_names.names.cache_clear()
    monkeypatch.setattr(conda_forge_names, "names", conda_forge_names.names.__wrapped__)
    return tmp_path / "labhandbook" / "conda-forge-names.json"


@pytest.mark.parametrize(("project", "name"), REAL.items())
def test_a_project_has_the_name_that_recipes_use(project: str, name: str) -> None:
    assert packaged().conda(project) == name


@pytest.mark.parametrize("project", ["stack-data", "ruamel-yaml", "tzdata", "msgpack", "build", "matplotlib", "torch",
                                     "jsonschema", "zope-interface", "typing-extensions", "py-cpuinfo", "numpy"])
def test_a_name_leads_back_to_its_project(project: str) -> None:
    assert packaged().pypi(packaged().conda(project)) == project


def test_what_conda_forge_does_not_have_keeps_its_name() -> None:
    assert packaged().conda("no-such-project-anywhere") == ""
    assert (conda_name("No_such.Project"), pypi_name("no-such.project")) == ("no-such.project", "no-such-project")


def test_the_mapping_is_asked_for_once_a_week(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = json.dumps({"demo_there": ["demo"], "tool": None}).encode()
    with serving({"mapping.json": published}) as address:
        monkeypatch.setenv(VARIABLE, f"{address}/packages/mapping.json")
        found = conda_forge_names.names()
    assert (found.conda("demo"), found.source) == ("demo_there", "as published today")
    kept = conda_forge_names.names()  # nobody answers any more
    assert kept.conda("demo") == "demo_there" and kept.source == f"as published on {datetime.date.today()}"
    os.utime(fresh, (0, 0))
    assert conda_forge_names.names() == packaged(), "what is older than the package's copy does not count"


def test_without_a_network_the_packages_copy_counts(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9/")
    found: Names = conda_forge_names.names()
    assert found == packaged() and found.source == "in this package's copy of 2026-08-19" and not fresh.exists()


@pytest.mark.parametrize("text", ["not json", "[1]", "{}"])
def test_a_broken_cache_does_not_count(text: str, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9/")
    fresh.parent.mkdir(parents=True)
    fresh.write_text(text, encoding="utf-8")
    assert conda_forge_names.names() == packaged()
