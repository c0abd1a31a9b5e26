"""Everything that the rules of a release check, read beforehand: the rules themselves read nothing."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from labhandbook.core.rules import Rules
from labhandbook.package.changelog import CHANGELOG, FRAGMENTS
from labhandbook.package.name_lookup import Answer
from labhandbook.package.project import PYPROJECT, Project
from labhandbook.package.version import FoundVersion

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version


# A string on a line of TOML; a name without quotes could be found anywhere.
QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
SEARCHED = 1_000  # dependencies are looked for in the whole text


@dataclass(frozen=True)
class Dependency:
    """One requirement as it is written, its place, and what it means; None where it can't be read.

    `extra` is the extra that it belongs to, "" at run time.
    """

    text: str
    extra: str
    file: str
    line: int
    parsed: Requirement | None


@dataclass(frozen=True)
class Facts:
    """A project, its version, its files and what git, the index and the calendar say.

    `files` are the files that git tracks, or without git those in the folder, relative to the project; `loose`
    are files beside `pyproject.toml` that git doesn't track. `texts` holds the text of those that a rule reads.
    `tags` are all tags of the repository, `built` the sha256 of the files that were built of this version, by name.
    `absent` names submodules that are not checked out.
    """

    project: Project
    version: FoundVersion
    index: Answer
    today: date
    files: frozenset[str] = frozenset()
    loose: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    built: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()

    def line(self, file: str, pattern: str) -> int:
        """The first line of a text that a pattern matches, counted from 1; 0 when none does."""
        found = re.search(pattern, self.texts.get(file, ""), re.MULTILINE)
        return self.texts[file].count("\n", 0, found.start()) + 1 if found else 0

    @cached_property
    def parsed(self) -> Version | None:
        """The version, if there is one and it can be read."""
        from packaging.version import InvalidVersion, Version

        try:
            return Version(self.version.version or "")
        except InvalidVersion:
            return None

    @cached_property
    def pythons(self) -> SpecifierSet | None:
        """What `requires-python` admits, if it is there and can be read."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        text = self.project.table.get("requires-python")
        try:
            return SpecifierSet(text) if isinstance(text, str) else None
        except InvalidSpecifier:
            return None

    @cached_property
    def changelog(self) -> str | None:
        """The change log's file, at the top or in the documentation."""
        found = (name for name in self.files if CHANGELOG.fullmatch(re.sub(r"^docs?/(source/)?", "", name)))
        return min(found, key=lambda name: (name.count("/"), name), default=None)

    @cached_property
    def fragments(self) -> bool:
        """Whether the change log is put together from a file for each change."""
        return any(FRAGMENTS.search(name) for name in self.files) or any(
            self.project.section("tool", tool) for tool in ("towncrier", "scriv"))

    @cached_property
    def readme(self) -> tuple[str, str] | None:
        """The README's file and content type, as the metadata give them; None without or with a computed one."""
        value = self.project.table.get("readme")
        if isinstance(value, str):
            kind = {"md": "text/markdown", "rst": "text/x-rst", "txt": "text/plain"}
            return value, kind.get(value.rpartition(".")[2].lower(), "")
        if isinstance(value, dict) and isinstance(value.get("file"), str):
            return value["file"], str(value.get("content-type", "")).partition(";")[0].strip().lower()
        table = self.project.section("tool", "setuptools", "dynamic", "readme")
        files = [table["file"]] if isinstance(table.get("file"), str) else table.get("file")
        if "readme" in self.project.dynamic and isinstance(files, list) and len(files) == 1:
            return str(files[0]), str(table.get("content-type", "text/x-rst"))
        return None

    @cached_property
    def dependencies(self) -> list[Dependency]:
        """The run-time requirements and those of the extras."""
        project = self.project
        tables = {"": project.strings("project", "dependencies")}
        for extra in project.section("project", "optional-dependencies"):
            tables[extra] = project.strings("project", "optional-dependencies", extra)
        found: list[Dependency] = []
        for extra, texts in tables.items():
            table = f"project.optional-dependencies.{extra}" if extra else "project"
            first = (extra, "project.optional-dependencies") if extra else ("dependencies", "project")
            start = project.line(*first) if texts and len(found) < SEARCHED else 1
            for text in texts:
                lines = self._quoted.get(text, [])
                at = bisect_left(lines, start)
                line = lines[at] if at < len(lines) else project.line(text, table) if len(found) < SEARCHED else start
                found.append(Dependency(text, extra, PYPROJECT, line, _requirement(text)))
        if "dependencies" in project.dynamic:
            line = project.line("dynamic", "project")
            found += [Dependency(text, "", PYPROJECT, line, _requirement(text))
                      for text in map(str, project.built.get("requires", [])) if "extra ==" not in text]
        return found

    @cached_property
    def _quoted(self) -> dict[str, list[int]]:
        """The lines of pyproject.toml by the strings on them, comments left out."""
        found: dict[str, list[int]] = {}
        for number, line in enumerate(self.project.text.splitlines(), 1):
            if not line.lstrip().startswith("#"):
                for match in QUOTED.finditer(line):
                    found.setdefault(match[1] or match[2] or "", []).append(number)
        return found


PROJECT: Rules[Facts] = Rules(lambda facts: PYPROJECT)


def _requirement(text: str) -> Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None
