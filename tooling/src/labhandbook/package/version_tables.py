"""Facts about Pythons and build backends, from the data files beside this module."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Pythons:
    """The first day on which each Python gets no more fixes, and the day to check that again."""

    ends: dict[tuple[int, int], date]
    checked: date
    review_by: date

    def ended(self, day: date) -> list[tuple[int, int]]:
        """The Pythons that are past their end on a day."""
        return sorted(python for python, end in self.ends.items() if end <= day)

    def alive(self, day: date) -> list[tuple[int, int]]:
        """The Pythons that still get fixes, those that are to come included."""
        return sorted(self.ends.keys() - set(self.ended(day)))


@cache
def pythons() -> Pythons:
    """The table of `python_versions.toml`."""
    data = _load("python_versions.toml")
    ends = {}
    for name, month in data["end-of-life"].items():
        year, number = map(int, month.split("-"))
        major, minor = map(int, name.split("."))
        ends[major, minor] = date(year + number // 12, number % 12 + 1, 1)
    return Pythons(ends, data["checked"], data["review-by"])


@cache
def minimum(what: str) -> dict[str, str]:
    """A table of `backends.toml`: the first version of each package that reads `what`."""
    table: dict[str, str] = _load("backends.toml")[what]
    return table


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(files("labhandbook.package").joinpath(name).read_text(encoding="utf-8"))
