"""What changed between two releases, from their files alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from labhandbook.package.distribution import Distribution
from labhandbook.package.public_api import breaking


@dataclass(frozen=True)
class Change:
    """Something with a name that is new (`before` is empty), gone (`after` is empty) or other than it was."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"+ {self.name} {self.after}".rstrip()
        if not self.after:
            return f"- {self.name} {self.before}".rstrip()
        return f"~ {self.name} {self.before} → {self.after}"


@dataclass
class Difference:
    """The changes from release `before` to release `after`, by theme."""

    before: str
    after: str
    files: list[Change] = field(default_factory=list)
    dependencies: list[Change] = field(default_factory=list)
    entry_points: list[Change] = field(default_factory=list)
    pythons: list[Change] = field(default_factory=list)
    names: list[Change] = field(default_factory=list)
    sizes: list[Change] = field(default_factory=list)
    breaking: list[str] = field(default_factory=list)

    @property
    def removed(self) -> list[str]:
        """The public names that are gone."""
        return [change.name for change in self.names if not change.after]

    def themes(self) -> dict[str, list[Change]]:
        """The changes under the words that a report heads them with."""
        return {"size": self.sizes, "Python": self.pythons, "dependencies": self.dependencies,
                "entry points": self.entry_points, "public names": self.names, "files": self.files}

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        return {"before": self.before, "after": self.after, "breaking": self.breaking, **{
            theme: [{"name": change.name, "before": change.before, "after": change.after} for change in changes]
            for theme, changes in self.themes().items()}}

    def lines(self, most: int = 12) -> list[str]:
        """The same for people, each theme cut at `most` lines."""
        shown = []
        every: dict[str, Sequence[object]] = {"breaking changes": self.breaking, **self.themes()}
        for theme, changes in every.items():
            if changes:
                shown.append(f"{theme}:")
                shown += [f"  {change}" for change in changes[:most]]
                shown += [f"  and {len(changes) - most} more"] if len(changes) > most else []
        return shown or ["nothing changed"]


def difference(before: Distribution, after: Distribution) -> Difference:
    """What changed between two wheels, or two sdists."""
    found = Difference(before.version, after.version)
    found.sizes = _changes({"file": size(before.size)}, {"file": size(after.size)})
    found.pythons = _changes(_pythons(before), _pythons(after))
    found.dependencies = _changes(_requirements(before), _requirements(after))
    found.entry_points = _changes(_entries(before), _entries(after))
    found.files = _files(before, after)
    if before.is_wheel and after.is_wheel:
        found.names = _changes(dict.fromkeys(before.api.public(), " "), dict.fromkeys(after.api.public(), " "))
        found.breaking = sorted(set(breaking(before.api, after.api)))
    return found


def size(count: int) -> str:
    """A number of bytes in words."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{count / 1e3:.1f} kB"


def _changes(before: dict[str, str], after: dict[str, str]) -> list[Change]:
    names = sorted(before.keys() | after.keys())
    return [Change(name, before.get(name, ""), after.get(name, "")) for name in names
            if before.get(name) != after.get(name)]


def _files(before: Distribution, after: Distribution) -> list[Change]:
    old, new = _plain(before), _plain(after)
    changes = []
    for path in sorted(old.keys() | new.keys()):
        first, second = old.get(path), new.get(path)
        if first is None or second is None or first[0] != second[0]:
            changes.append(Change(path, size(first[1]) if first else "", size(second[1]) if second else ""))
    return changes


def _plain(file: Distribution) -> dict[str, tuple[str, int]]:
    """Hash and size of the files by a path without the version in it; not those that follow from the others."""
    found = {}
    for path, member in file.files.items():
        if re.search(r"(\.dist-info/(RECORD|METADATA|WHEEL)|\.egg-info/.*|^PKG-INFO)$", path):
            continue
        found[re.sub(r"^[^/]+\.dist-info/", "*.dist-info/", path)] = (member.sha256, member.size)
    return found


def _requirements(file: Distribution) -> dict[str, str]:
    from packaging.requirements import InvalidRequirement, Requirement

    found = {}
    for text in file.requires:
        try:
            parsed = Requirement(text)
        except InvalidRequirement:
            found[text] = " "
            continue
        extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
        marker = f" ; {parsed.marker}" if parsed.marker else ""
        found[f"{parsed.name.lower()}{extras}{marker}"] = str(parsed.specifier) or parsed.url or "any"
    return found


def _entries(file: Distribution) -> dict[str, str]:
    return {f"{group}: {name}": target for group, entries in file.entry_points.items()
            for name, target in entries.items()}


def _pythons(file: Distribution) -> dict[str, str]:
    found = {text.rpartition("::")[2].strip(): "yes" for text in file.classifiers
             if re.match(r"Programming Language :: Python :: \d+\.\d+$", text)}
    return {**found, "requires-python": str(file.metadata.get("requires_python") or "any")}
