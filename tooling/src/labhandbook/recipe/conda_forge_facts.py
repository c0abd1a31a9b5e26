"""Facts about conda-forge: its oldest Python, its build backends, names to avoid."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

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


def avoided() -> dict[str, str]:
    """Names of PyPI that mean something else on conda-forge, with the ones to write."""
    return dict(facts()["avoid"])
