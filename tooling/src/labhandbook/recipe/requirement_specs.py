"""Requirements in PyPI's words and in conda's, and what their markers mean for a package for all systems."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from labhandbook.recipe.conda_forge_names import conda_name

SYSTEMS: dict[str, dict[str, str]] = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "osx": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "win": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}


@dataclass(frozen=True)
class Asked:
    """A requirement as conda says it: `name` and `bounds`; `project` is PyPI's name.

    `when` is empty when it always holds; otherwise the systems or the Pythons for which it does. `extras` are the
    extras asked of the project, which conda does not have.
    """

    name: str
    bounds: str
    project: str
    systems: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The line of a recipe."""
        return f"{self.name} {self.bounds}".strip()


def parse(text: str) -> Requirement | None:
    """A requirement of PyPI, None where it isn't one."""
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def bounds(specifiers: SpecifierSet) -> str:
    """The versions that a requirement allows, as conda writes them."""
    return ",".join(part for one in sorted(specifiers, key=_order) for part in _conda(one))


def _order(one: Specifier) -> tuple[int, str]:
    return ({">=": 0, ">": 0, "~=": 0, "==": 1, "===": 1, "<": 2, "<=": 2, "!=": 3}[one.operator], one.version)


def _conda(one: Specifier) -> list[str]:
    """One clause; `~=` is written out, because conda reads it less strictly."""
    if one.operator == "~=":
        release = Version(one.version).release[:-1]
        above = ".".join(map(str, (*release[:-1], release[-1] + 1)))
        return [f">={one.version}", f"<{above}"]
    if one.operator == "==" and one.version.endswith(".*"):
        return [one.version]
    return [f"{'==' if one.operator == '===' else one.operator}{one.version}"]


def asked(text: str, lowest: str, pythons: Iterable[str], extras: Iterable[str] = ("",)) -> Asked | None:
    """What a requirement asks on each system and Python; None when it never holds, or holds only for other extras.

    Raises ValueError when the text is no requirement.
    """
    requirement = parse(text)
    if requirement is None:
        raise ValueError(text)
    known = list(pythons)
    holds = {(system, python) for system in SYSTEMS for python in known
             if any(_holds(requirement, system, python, extra) for extra in extras)}
    if not holds:
        return None
    systems = tuple(system for system in SYSTEMS if any(system == one for one, _ in holds))
    versions = tuple(python for python in known if any(python == one for _, one in holds))
    return Asked(conda_name(requirement.name), bounds(requirement.specifier), requirement.name,
                 systems if len(systems) < len(SYSTEMS) else (), versions if len(versions) < len(known) else (),
                 tuple(sorted(requirement.extras)))


def _holds(requirement: Requirement, system: str, python: str, extra: str) -> bool:
    if requirement.marker is None:
        return True
    return requirement.marker.evaluate({
        **SYSTEMS[system], "python_version": python, "python_full_version": f"{python}.99", "extra": extra,
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
    })


def specifiers(text: str) -> SpecifierSet:
    """Bounds as PyPI writes them; none where they can't be read."""
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return SpecifierSet()


def lowest_python(requires: str, default: str) -> str:
    """The oldest minor version of Python that `Requires-Python` allows, `default` if it allows that one."""
    allowed = specifiers(requires)
    for minor in range(int(default.split(".")[1]), 100):
        if allowed.contains(f"3.{minor}.99") or allowed.contains(f"3.{minor}"):
            return f"3.{minor}"
    return default


def upper_python(requires: str) -> str:
    """The upper bound of `Requires-Python`, as `<3.14`; empty without one that matters."""
    return ",".join(f"{one.operator}{one.version}" for one in specifiers(requires)
                    if one.operator in ("<", "<=") and not one.version.startswith("4"))


def split(line: str) -> tuple[str, str]:
    """Name and bounds of a requirement in a recipe; a build string stays with the bounds."""
    found = re.match(r"([^\s<>=!~]+)\s*(.*)", line.strip())
    return (found[1], found[2].strip()) if found else (line.strip(), "")


def same_bounds(one: str, other: str) -> bool:
    """Whether two lists of bounds mean the same, however they are ordered and spelt."""
    return _clauses(one) == _clauses(other)


def _clauses(text: str) -> frozenset[tuple[str, str]]:
    found = set()
    for clause in filter(None, (part.strip() for part in text.replace(" ", "").split(","))):
        match = re.match(r"(~=|==|!=|<=|>=|<|>|=)?(.*)", clause)
        operator, version = (match[1] or "==", match[2]) if match else ("", clause)
        if operator == "=" or (operator == ">=" and version.endswith(".*")):
            operator, version = ("==", version.rstrip(".*") + ".*") if operator == "=" else (">=", version[:-2])
        try:
            version = str(Version(version))
            version = re.sub(r"(\.0)+$", "", version)
        except InvalidVersion:
            pass
        found.add((operator, version))
    return frozenset(found)


def pep508(line: str, project: str) -> str:
    """A recipe's requirement in PyPI's words, to find a wheel for it."""
    _, wanted = split(line)
    clauses = []
    for clause in filter(None, wanted.split(" ")[0].split(",")):
        if re.match(r"[\d*]", clause):
            clause = "" if clause == "*" else f"=={clause}"
        elif re.match(r"=(?!=)", clause):
            clause = f"=={clause[1:].removesuffix('.*')}.*"
        elif clause.startswith((">=", "<")) and clause.endswith(".*"):
            clause = clause[:-2]
        clauses.append(clause)
    return project + ",".join(filter(None, clauses))
