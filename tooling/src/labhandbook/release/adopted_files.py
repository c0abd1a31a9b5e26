"""Files that were built elsewhere, such as wheels for several platforms, taken into the ledger of a release.

A build here proves that the files come from the commit. For files from elsewhere the code in them is compared with
the commit: that does not prove what compiled code was made of, but it finds files of another commit.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.files import replacing_folder
from labhandbook.core.git import git
from labhandbook.core.rules import Finding, Rule, register
from labhandbook.core.wording import listed
from labhandbook.package.distribution import Distribution, read
from labhandbook.package.project import Project, normalise
from labhandbook.release.package_build import epoch

SECTION = "sec-pypi-files"
CODE = re.compile(r"\.(py|pyi|pyx|pxd|c|cc|cpp|h|hpp|rs|f|f90)$")
PLACES = ("", "src/", "lib/", "python/")

SAME_SOURCES = register(Rule(
    "REL203", "Files that were built elsewhere hold the code of the commit",
    why="Files of another commit would be published under this version's tag, and a file name can be used only once.",
    fix="Check out the commit that they were built from, or build them again from this one.", section=SECTION))


def belonging(files: Sequence[Path], project: Project, version: str) -> list[Distribution]:
    """The given files that are this project's, read, the sdist first. Raises HandbookError for another version."""
    from packaging.version import InvalidVersion, Version

    found = [each for each in map(read, files) if normalise(each.name) == project.normalised]
    for file in found:
        try:
            same = Version(file.version) == Version(version)
        except InvalidVersion:
            same = False
        if not same:
            raise HandbookError(f"{file.file} is of version {file.version}, and this commit is {version}",
                                where=str(file.path), section=SECTION,
                                why="only files of the version that is checked out can be tested and published here",
                                todo=f"check out the tag of {file.version}, or give the files of {version}")
    return sorted(found, key=lambda file: (file.is_wheel, file.file))


def adopt(files: Sequence[Distribution], project: Project, workdir: Path) -> tuple[list[Finding], dict[str, Any]]:
    """Copy files into `workdir/dist`, replacing what is there; the findings and the facts for the ledger."""
    findings = list(foreign(files, project))
    with replacing_folder(workdir / "dist") as folder:
        for file in files:
            shutil.copyfile(file.path, folder / file.file)
    state = project.git
    return findings, {
        "version": files[0].version,
        "files": {file.file: {"sha256": file.sha256, "size": file.size} for file in files},
        "commit": state.commit if state else None, "tree": state.tree if state else None,
        "tags": list(state.tags) if state else [], "epoch": epoch(project), "tools": {}, "given": True}


def foreign(files: Sequence[Distribution], project: Project) -> Iterator[Finding]:
    """Code in files that differs from the commit's under the same path. Files that hold a version may differ."""
    hashes = {}
    for line in (git(project.root, "ls-tree", "-r", "-z", "HEAD", "--", ".") or "").split("\0"):
        about, _, path = line.partition("\t")
        if len(words := about.split()) == 3:
            hashes[path] = words[2]
    for file in files:
        inside = file.installed if file.is_wheel else {path: path for path in file.files}
        other = sorted(path for path, stored in inside.items() if CODE.search(path)
                       and "version" not in path.rpartition("/")[2] and stored in file.held
                       and (known := _known(path, hashes)) and not _same(file.held[stored], known))
        if other:
            yield Finding(file.file, 0, SAME_SOURCES, f"these files differ from the commit: {listed(other)}")


def _known(path: str, hashes: dict[str, str]) -> str:
    """The hash that git has for a file of the package; empty where the commit has no such file."""
    return next((hashes[place + path] for place in PLACES if place + path in hashes), "")


def _same(data: bytes, known: str) -> bool:
    """Whether git would give these bytes that hash, with line ends of either kind."""
    kind = hashlib.sha256 if len(known) == 64 else hashlib.sha1
    return any(kind(b"blob %d\0" % len(text) + text).hexdigest() == known
               for text in (data, data.replace(b"\r\n", b"\n")))
