"""What is inside the files of a release, for a person: files, metadata, findings, and what changed since the last."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labhandbook.core.rules import Finding, Findings
from labhandbook.package.distribution import Distribution, absent
from labhandbook.package.findings import project_findings
from labhandbook.package.project import Project
from labhandbook.package.wheel_tags import preferred
from labhandbook.release.clean_sources import ignored_files, tree_files
from labhandbook.release.package_build import Built
from labhandbook.release.previous_release import Previous
from labhandbook.release.release_difference import Difference, difference, size
from labhandbook.release.release_rules import broken_contents, missing_files  # noqa: F401
from labhandbook.release.release_rules.unwanted_files import CONTENTS, Contents

WIDTH = 60
SHOWN = 10
# Rules that compare a wheel with its sources, and those that look at an sdist alone.
NEEDS_SDIST = ("REL222", "REL225")
SDIST_ALONE = ("REL210", "REL211", "REL212", "REL213", "REL216", "REL217", "REL218", "REL219", "REL220",
               "REL222")


@dataclass(frozen=True)
class Inspection:
    """The files, what was found in them, and the difference to the release before, or in `note` why there is none."""

    files: Sequence[Distribution]
    findings: Findings
    difference: Difference | None = None
    note: str = ""

    @property
    def wheel(self) -> Distribution:
        """The wheel whose metadata are shown; the sdist where there is no wheel."""
        return foremost(self.files)

    def as_json(self) -> dict[str, Any]:
        """The same for machines; a metadata field that is empty is left out."""
        metadata = {key: value for key, value in self.wheel.metadata.items() if value and key != "description"}
        return {
            "files": [{"file": file.file, "sha256": file.sha256, "size": file.size,
                       "members": [{"path": member.path, "size": member.size, "sha256": member.sha256}
                                   for member in sorted(file.files.values(), key=lambda each: each.path)]}
                      for file in self.files],
            "metadata": metadata, "entry-points": self.wheel.entry_points,
            "difference": self.difference.as_json() if self.difference else None, "note": self.note,
            "findings": [finding.as_json() for finding in self.findings]}

    def lines(self) -> list[str]:
        """The same for people, but for the findings."""
        shown = [*metadata_lines(self.wheel), ""]
        for file in self.files:
            total = sum(member.size for member in file.files.values())
            shown += [f"{file.file}  {size(file.size)}, {len(file.files)} files, {size(total)} unpacked",
                      *(f"  {line}" for line in tree(file)), ""]
        head = f"Since {self.difference.before}" if self.difference else f"Since the last release: {self.note}"
        return [*shown, head, *(f"  {line}" for line in (self.difference.lines() if self.difference else []))]


def inspect(built: Built, project: Project, previous: Previous | None = None) -> Inspection:
    """Look into built files; `previous` is the release to compare them with. Nothing of the package is run."""
    seen = look_into(built.files, project, previous, tree_files(project))
    return replace(seen, findings=project_findings([*built.findings, *seen.findings], project))


def look_into(files: Sequence[Distribution], project: Project, previous: Previous | None = None,
              tree: frozenset[str] = frozenset()) -> Inspection:
    """Look into the files of one release: wheels for several machines, an sdist, or either alone.

    `previous` is the release to compare them with; `tree` are the names of the project's own files.
    """
    change, note = None, previous.problem if previous else "not asked for"
    sdist = next((file for file in files if not file.is_wheel), None)
    wheels = [file for file in files if file.is_wheel]
    if previous and previous.first:
        note = "this is the first"
    elif previous and previous.wheel and wheels:
        change = difference(previous.wheel, foremost(wheels))
    elif previous and previous.sdist and sdist:
        change = difference(previous.sdist, sdist)
    elif previous and not previous.problem:
        note = f"{previous.version} has no file of the same kind"
    without: Collection[str] = () if sdist else NEEDS_SDIST
    if not wheels:
        without = CONTENTS.checks.keys() - set(SDIST_ALONE)
    each = [Contents(project, sdist or absent(files[0], "sdist"), wheel, tree, change,
                     ignored_files(project) if tree else frozenset())
            for wheel in wheels or [absent(files[0], "wheel")]]
    found = once((finding for contents in each for finding in CONTENTS.run(contents, without=without)),
                 [wheel.file for wheel in wheels])
    return Inspection(files, project_findings(found, project), change, note)


def foremost(files: Sequence[Distribution]) -> Distribution:
    """The wheel that pip would choose here, else the first wheel, else the first file."""
    wheels = {file.file: file for file in files if file.is_wheel}
    names = preferred(wheels, sys.version_info[:2]) or list(wheels)
    return wheels[names[0]] if names else files[0]


def once(findings: Iterable[Finding], files: Collection[str]) -> list[Finding]:
    """Findings that several of these files share, each once, with the number of the other files."""
    groups: dict[object, list[Finding]] = {}
    for found in dict.fromkeys(findings):
        top, _, inside = found.file.partition("/")
        alike = found.rule.code, found.message, found.line, found.weight, inside
        groups.setdefault(alike if top in files else found, []).append(found)
    return [first if not others else replace(
                first, message=f"{first.message} (and so in {len(others)} other file{'s' * (len(others) > 1)})")
            for first, *others in groups.values()]


def metadata_lines(wheel: Distribution) -> list[str]:
    """The metadata as a person reads them."""
    raw = wheel.metadata
    licence = raw.get("license_expression") or str(raw.get("license") or "").partition("\n")[0]
    rows: list[tuple[str, Iterable[str]]] = [
        ("summary", [str(raw.get("summary") or "")]), ("python", [str(raw.get("requires_python") or "any")]),
        ("licence", [licence]), ("authors", [str(raw.get("author_email") or raw.get("author") or "")]),
        ("needs", [text for text in wheel.requires if "extra ==" not in text]),
        ("extras", raw.get("provides_extra", [])),
        ("commands", [f"{name} = {target}" for group in ("console_scripts", "gui_scripts")
                      for name, target in wheel.entry_points.get(group, {}).items()]),
        ("plug-ins", [f"{group}: {name}" for group, entries in wheel.entry_points.items()
                      for name in entries if group not in ("console_scripts", "gui_scripts")]),
        ("links", [f"{label}: {address}" for label, address in raw.get("project_urls", {}).items()]),
        ("topics", wheel.classifiers),
        ("readme", [f"{raw.get('description_content_type') or 'text/x-rst (not said)'}, "
                    f"{len(str(raw.get('description') or ''))} characters"]),
        ("metadata", [str(raw.get("metadata_version") or "")]),
    ]
    shown = [f"{wheel.name} {wheel.version}"]
    for word, values in rows:
        filled = [value for value in values if value]
        shown += [f"  {word if not number else '':<9} {value}" for number, value in enumerate(filled)]
    return shown


def tree(file: Distribution) -> list[str]:
    """Its folders and files with their sizes; of a folder with many files only the largest are named."""
    root: dict[str, Any] = {}
    for path, member in file.files.items():
        *folders, name = path.split("/")
        place = root
        for folder in folders:
            place = place.setdefault(folder + "/", {})
        place[name] = member.size
    return _branch(root, "")


def _branch(node: dict[str, Any], indent: str) -> list[str]:
    shown = []
    for name in sorted(key for key in node if key.endswith("/")):
        below, text = node[name], f"{indent}{name}"
        while len(below) == 1 and (only := next(iter(below))).endswith("/"):
            below, text = below[only], text + only
        count, total = _weigh(below)
        shown.append(f"{text:<{WIDTH}} {size(total):>9}  {count} file{'s' if count > 1 else ''}")
        shown += _branch(below, indent + "  ")
    files = sorted(((value, key) for key, value in node.items() if not key.endswith("/")), reverse=True)
    named = files if len(files) <= SHOWN + 1 else files[:SHOWN]
    shown += [f"{indent + key:<{WIDTH}} {size(value):>9}" for value, key in sorted(named, key=lambda each: each[1])]
    if rest := files[len(named):]:
        text = f"{indent}({len(rest)} smaller files)"
        shown.append(f"{text:<{WIDTH}} {size(sum(value for value, _ in rest)):>9}")
    return shown


def _weigh(node: dict[str, Any] | int) -> tuple[int, int]:
    if isinstance(node, int):
        return 1, node
    parts = [_weigh(child) for child in node.values()]
    return sum(count for count, _ in parts), sum(total for _, total in parts)
