"""Facts about conda-forge: its oldest Python, its build backends, its names for PyPI's projects."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.yaml_reader import read_yaml
from labhandbook.package.project import normalise

# What gathers the licences of all that a compiled language links in (conda-forge ).
LICENCE_TOOLS = {"rust": "cargo-bundle-licenses", "go": "go-licenses"}


@cache
def facts() -> dict[str, Any]:
    """The facts file of this room."""
    return tomllib.loads(Path(__file__).with_name("conda_forge.toml").read_text(encoding="utf-8"))


def python_min() -> str:
    """The oldest Python for which conda-forge builds noarch packages."""
    return str(facts()["python-min"])


def pythons(lowest: str) -> list[str]:
    """The minor versions of Python from `lowest` to the newest."""
    newest = int(facts()["python-newest"].split(".")[1])
    return [f"3.{minor}" for minor in range(int(lowest.split(".")[1]), newest + 1)]


@cache
def names() -> dict[str, str]:
    """conda-forge's name for each PyPI project that is called otherwise there, as grayskull's table has it.

    Raises HandbookError when grayskull isn't installed.
    """
    try:
        from grayskull import strategy
    except ImportError:
        raise HandbookError("grayskull isn't installed", why="it has conda-forge's names for PyPI's projects",
                            todo="pip install 'labhandbook[recipe]'", section="sec-conda-forge-generate") from None
    place = Path(str(strategy.__file__)).with_name("config.yaml")
    table = read_yaml(place.read_text(encoding="utf-8"), place.name).data or {}
    return {normalise(name): str(entry["conda_forge"]) for name, entry in table.items() if entry.get("conda_forge")}


def conda_name(project: str) -> str:
    """conda-forge's name for a PyPI project: another one in its table, else its own in lower case; dots stay."""
    return {**names(), **avoided()}.get(normalise(project), project.lower().replace("_", "-"))


def pypi_name(package: str) -> str:
    """The PyPI project that a conda-forge package is made of."""
    for project, name in {**names(), **avoided()}.items():
        if name == package:
            return project
    return package


def avoided() -> dict[str, str]:
    """Names of PyPI that mean something else on conda-forge, with the ones to write."""
    return dict(facts()["avoid"])
