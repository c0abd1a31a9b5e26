"""The notes of a release, taken from the change log."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.package.project import Project

CHANGELOG = re.compile(r"(?i)(changelog|changes|history|news|release[-_]?notes)(\.(md|rst|txt))?$")
# Where towncrier, scriv, reno and others keep fragments when their settings name no folder.
FOLDERS = ("newsfragments", "newsfragment", "changelog.d", "changes.d", "news.d", "news", "changes", "docs/changelog",
           "changelog", "docs/changelog-fragments", ".changelog", "releasenotes/notes")
FRAGMENTS = re.compile(rf"(?i)(^|/)(?:{'|'.join(map(re.escape, FOLDERS))})/[^/]+\.\w+$")
LINK = re.compile(r"^\[([^]\n]+)\]: .*", re.MULTILINE)
UNDERLINE = re.compile(r"[-=~^*+#]{3,}\s*$")


@dataclass(frozen=True)
class Notes:
    """Text and the file that it comes from; both empty where no change log has the version."""

    text: str = ""
    source: str = ""


def heading(version: str, written: str = "") -> str:
    """A pattern for the line that heads a version: a Markdown heading, its number in front, or one underlined.

    `written` is the version in another form. A last .0 may be left out, as in 1.2 for 1.2.0.
    """
    forms = {form for each in (version, written or version)
             for form in (each, re.sub(r"^(\d+\.\d+)\.0$", r"\1", each))}
    wanted = "|".join(re.escape(number) for number in sorted(forms, reverse=True))
    number = rf"(?<![\w.])v?(?:{wanted})(?![\w.]*\d)"
    headings = (rf"#+\s.*?{number}", rf"[^\w\n]*(?:(?:version|release)\s+)?{number}",
                rf"(?=.*\n[-=~^*+#]{{3,}}).*{number}")
    return rf"(?i)^(?:{'|'.join(headings)})"


def notes_of(project: Project, version: str) -> Notes:
    """What the change log says of a version, without its heading."""
    for path in sorted(project.root.iterdir()):
        if path.is_file() and CHANGELOG.fullmatch(path.name):
            try:
                text = section(untrusted_data.text(path), version)
            except HandbookError:
                continue
            if text:
                return Notes(text, path.name)
    return Notes()


def section(text: str, version: str) -> str:
    """The lines below a version's heading, to the next heading of the same kind, with the links that they use."""
    found = re.search(heading(version), text, re.MULTILINE)
    if not found:
        return ""
    lines = text[found.start():].splitlines()
    underlined = len(lines) > 1 and UNDERLINE.match(lines[1]) is not None
    level = re.match(r"#+", lines[0])
    body = lines[2 if underlined else 1:]
    for number, line in enumerate(body):
        below = body[number + 1] if number + 1 < len(body) else ""
        if _ends(line, below, level[0] if level else "", lines[1] if underlined else ""):
            body = body[:number]
            break
    notes = "\n".join(line for line in body if not LINK.match(line)).strip()
    names = set(re.findall(r"\[([^][]+)\]", notes))
    links = [link[0] for link in LINK.finditer(text) if link[1] in names]
    return "\n\n".join(filter(None, (notes, "\n".join(links))))


def _ends(line: str, below: str, level: str, underline: str) -> bool:
    """Whether a line heads the next version: as many # signs in front, the same underline, or a bare number."""
    if level:
        return bool(re.match(rf"#{{1,{len(level)}}}\s", line))
    if underline:
        return bool(line.strip()) and below[:1] == underline[:1] and UNDERLINE.match(below) is not None
    return bool(re.match(r"[^\w\n]{0,2}(?:(?:version|release)\s+)?v?\d+\.\d+", line, re.IGNORECASE))
