"""A recipe as both formats say it, before it is written."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Requirement:
    """A line of `requirements`; with `systems` it holds only there, which only compiled packages can say."""

    text: str
    systems: tuple[str, ...] = ()


@dataclass
class Recipe:
    """What a recipe says. `url` has `{version}` in the version's place; `python_min` is set only where it must be."""

    name: str
    version: str
    url: str
    sha256: str
    build: list[Requirement] = field(default_factory=list)
    host: list[Requirement] = field(default_factory=list)
    run: list[Requirement] = field(default_factory=list)
    noarch: bool = True
    number: int = 0
    python_min: str = ""
    python_upper: str = ""
    entry_points: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    pytest: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    homepage: str = ""
    documentation: str = ""
    repository: str = ""
    summary: str = ""
    description: str = ""
    license: str = ""
    license_files: list[str] = field(default_factory=list)
    maintainers: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
