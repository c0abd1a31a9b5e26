"""The line that adds an extra to the kit as it is installed here, without taking away those that are there."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, version
from importlib.util import find_spec
from pathlib import Path

REPOSITORY = "https://github.com/acerbilab/handbook"
# Extras for those who change the kit itself.
OWN = {"dev", "test"}


def kit_with(wanted: str) -> str:
    """The line that installs the kit with some extras, separated by commas, beside those that it has.

    `uv tool install --force` and `pipx install --force` remove what an extra brought that is not named again
    (uv 0.9, tried 2026-11-29).
    """
    extras = list(dict.fromkeys([*wanted.split(","), *_there()]))
    source = f'"labhandbook[{",".join(extras)}] @ git+{REPOSITORY}"'
    place = Path(sys.prefix).parts
    if "pipx" in place:
        return f"pipx install --force {source}"
    if ("uv" in place and "tools" in place) or find_spec("pip") is None:
        return f'uv tool install --force --python ">=3.11" {source}'
    return f"{shlex.quote(sys.executable)} -m pip install {source}"


def _there() -> Iterator[str]:
    """The extras all of whose packages are installed."""
    try:
        from packaging.requirements import Requirement
        own = metadata("labhandbook")
    except ModuleNotFoundError:  # the sources alone
        return
    needs = [Requirement(line) for line in own.get_all("Requires-Dist") or ()]
    for extra in own.get_all("Provides-Extra") or ():
        asked = [need for need in needs if need.marker and need.marker.evaluate({"extra": extra})
                 and not need.marker.evaluate({"extra": ""})]
        if extra not in OWN and asked and all(_has(need.name) for need in asked):
            yield extra


def _has(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False
