"""What the change log holds for the next version: a section, or the fragments of towncrier, scriv and reno."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.yaml_reader import read_yaml
from labhandbook.package.changelog import CHANGELOG, FOLDERS, heading, section
from labhandbook.package.project import Project

BREAKING = re.compile(r"(?i)break|removal|removed|incompatib")
NEW = re.compile(r"(?i)^(feat|add|new|enhanc|improve|chang|deprecat|minor)")
KIND = re.compile(r"(?m)^(?:#{2,6}\s+|\*\*)?([A-Z][A-Za-z ]+?)(?:\*\*)?:?\s*(?:\n[-=~^*+#\"]{3,}\s*)?$")
HEADED = re.compile(r"(?im)^(?:#+\s.*?|[^\w\n]*(?:(?:version|release)\s+)?|(?=.*\n[-=~^*+#]{3,}).*?)"
                    r"(?<![\w.])v?(\d+(?:\.\d+)+\w*)")
MOST = 2_000


@dataclass(frozen=True)
class Entry:
    """One change with its kind, in the words of the change log, such as Added or bugfix."""

    kind: str
    text: str


@dataclass(frozen=True)
class Pending:
    """The changes that the next version will have, and the file or the folder that lists them."""

    source: str = ""
    entries: tuple[Entry, ...] = ()

    @property
    def breaking(self) -> set[str]:
        """The kinds of changes after which code that uses the package can fail."""
        return {entry.kind for entry in self.entries if BREAKING.search(entry.kind)}

    @property
    def new(self) -> set[str]:
        """The kinds of changes that add something."""
        return {entry.kind for entry in self.entries if NEW.search(entry.kind)} - self.breaking


def pending(project: Project, last: str = "", files: Collection[str] | None = None) -> Pending:
    """What will be new: the fragments, or else the section of the change log for what is unreleased.

    A section for a version after `last` counts too. Of the fragments only those in `files` count, if it is given:
    reno keeps those of every version.
    """
    for folder in fragment_folders(project):
        if entries := tuple(fragments(project.root / folder, files)):
            return Pending(folder, entries)
    for path in sorted(project.root.iterdir()):
        if CHANGELOG.fullmatch(path.name) and path.is_file():
            try:
                whole = untrusted_data.text(path)
            except HandbookError:
                continue
            if last and (old := re.search(heading(last), whole, re.MULTILINE)):
                whole = whole[:old.start()]
            for name in ("unreleased", "upcoming", "in development", *newer(whole, last)):
                if text := section(whole, name):
                    return Pending(path.name, tuple(by_kind(text)))
    return Pending()


def newer(text: str, last: str) -> Iterator[str]:
    """The version that heads a change log, if it is after the last one."""
    from packaging.version import InvalidVersion, Version

    if last and (found := HEADED.search(text)):
        with suppress(InvalidVersion):
            if Version(found[1]) > Version(last):
                yield found[1]


def fragment_folders(project: Project) -> list[str]:
    """The folders for fragments that the settings of towncrier and scriv name, then the usual ones that are there."""
    named = [project.get("tool", "towncrier", "directory"), project.get("tool", "scriv", "fragment_directory")]
    wanted = [name for name in named if isinstance(name, str)] or list(FOLDERS)
    inside = project.root.resolve()
    return [name for name in wanted if (place := (inside / name).resolve()).is_dir() and place.is_relative_to(inside)]


def fragments(folder: Path, files: Collection[str] | None = None) -> Iterator[Entry]:
    """The changes in a folder of fragments: `123.feature.md`, sections by kind, or reno's YAML."""
    for path in sorted(folder.iterdir())[:MOST]:
        left = path.name.startswith((".", "_")) or path.stem.lower() in ("readme", "template")
        if left or not path.is_file() or (files is not None and path.name not in files):
            continue
        try:
            text = untrusted_data.text(path).strip()
        except HandbookError:
            continue
        words = path.name.split(".")
        if path.suffix in (".yaml", ".yml"):
            yield from reno(text, path.name)
        elif (len(words) > 2 and words[1].isalpha()) or (len(words) == 2 and words[1] not in ("md", "rst", "txt")):
            yield Entry(words[1], text)
        elif path.suffix in (".md", ".rst"):
            yield from by_kind(text)


def reno(text: str, name: str) -> Iterator[Entry]:
    """The notes of one file of reno: a list under each kind."""
    try:
        data = read_yaml(text, name).data
    except HandbookError:
        return
    for kind, notes in data.items() if isinstance(data, dict) else ():
        for note in notes if isinstance(notes, list) else [notes]:
            yield Entry(str(kind), str(note).strip())


def by_kind(text: str) -> Iterator[Entry]:
    """The list items below each heading of a section, such as Added or Fixed."""
    kind, start = "", 0
    for found in [*KIND.finditer(text), None]:
        for item in items(text[start:found.start() if found else len(text)]):
            yield Entry(kind, item)
        if found:
            kind, start = found[1].strip(), found.end()


def items(text: str) -> Iterable[str]:
    """The items of a list, each with the lines that belong to it."""
    found: list[str] = []
    for line in text.splitlines():
        if re.match(r"[-*+] ", line):
            found.append(line[2:].strip())
        elif found and line.strip() and line[0] == " ":
            found[-1] += f" {line.strip()}"
    return found
