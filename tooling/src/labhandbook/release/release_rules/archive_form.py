"""What PyPI refuses at upload, of the archives themselves: their form, their lists of files, their entry points."""

from __future__ import annotations

import base64
import configparser
import csv
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from labhandbook.core.rules import At
from labhandbook.core.wording import listed
from labhandbook.package.archive import is_tar, open_tar
from labhandbook.package.distribution import Distribution
from labhandbook.package.zip_records import problem
from labhandbook.release.release_rules.upload_metadata import GATE, LICENCE_FILE, Offered

SECTION = "sec-pypi-build"
RATIO, RATIO_FROM = 50, 64 << 20
ENTRY_NAME = re.compile(r"[\w.-]+")
# Programs that hide what a package does; PyPI searches every upload for what they leave. The words are put together
# here, or PyPI would refuse this file.
ARMOUR = b"__py" + b"armor_"
ENCRYPTED = tuple(ARMOUR + word for word in (b"_(__name__, __file__,", b"enter__", b"exit__", b"assert__", b"bcc__"))


@GATE.rule("REL320", "The archive has the form of an sdist or a wheel",
      why="PyPI refuses an sdist that isn't one folder with PKG-INFO in it. It refuses a wheel without WHEEL, "
          "METADATA and RECORD in the folder that its name says.",
      fix="Build again with a current backend, and don't repack files by hand.",
      section=SECTION)
def form(offered: Offered) -> Iterator[At]:
    """The parts that every archive of its kind has."""
    file = offered.file
    # It was read as one of the two.
    if zipfile.is_zipfile(file.path) if file.file.endswith(".tar.gz") else is_tar(file.path):
        yield At("it is a zip and a tar archive at once")
    if file.is_wheel:
        folder = "{}-{}.dist-info".format(*file.file_parts)
        lacking = [f"{folder}/{name}" for name in ("WHEEL", "METADATA") if f"{folder}/{name}" not in file.files]
        if lacking:
            yield At(f"it lacks {listed(lacking)}")
    elif not file.root:
        tops = sorted({name.partition("/")[0] for name in file.stored})
        yield At(f"it holds {len(tops)} top folders or files instead of one folder: {listed(tops)}")
    elif "PKG-INFO" not in file.files:
        yield At(f"it lacks {file.root}/PKG-INFO")


@GATE.rule("REL321", "The archive means the same to every program that unpacks it",
      why="Two programs can read an archive differently if names lead out of its folder or come twice, or if data "
          "are hidden or left at its end. Such an archive can hide a file from a check, so PyPI refuses it.",
      fix="Build again with a current backend, and don't repack files by hand.",
      section=SECTION)
def safe(offered: Offered) -> Iterator[At]:
    """Names that stay inside, each once, and a zip that says the same twice."""
    file = offered.file
    outside = sorted(name for name in file.stored
                     if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts
                     or re.match(r"[A-Za-z]:", name) or "\\" in name)
    if outside:
        yield At(f"names lead out of the folder: {listed(map(repr, outside))}")
    if file.file.endswith(".tar.gz"):
        yield from _safe_tar(file)
        return
    if what := problem(file.path):
        yield At(what)
    total = sum(member.size for member in file.files.values())
    if total > RATIO_FROM and total > RATIO * file.size:
        yield At(f"it unpacks to {total / file.size:.0f} times its size")


def _safe_tar(file: Distribution) -> Iterator[At]:
    with open_tar(file.path) as archive:
        for entry in archive:
            if entry.issparse():
                yield At(f"{entry.name} is a sparse file")
            elif not (entry.isfile() or entry.isdir() or entry.islnk() or entry.issym()):
                yield At(f"{entry.name} is no file, folder or link")
            elif (entry.issym() or entry.islnk()) and _leaves(entry):
                yield At(f"{entry.name} links to {entry.linkname}, outside the folder")


def _leaves(entry: tarfile.TarInfo) -> bool:
    start = PurePosixPath(entry.name).parent.parts if entry.issym() else ()
    depth = len(start)
    for part in PurePosixPath(entry.linkname).parts:
        depth += -1 if part == ".." else 1
        if depth < 1 or part == "/":
            return True
    return False


@GATE.rule("REL322", "The wheel's RECORD lists its files, with their hashes",
      why="Installers use RECORD to check and to uninstall the files. PyPI refuses a wheel without it, and writes "
          "to the owners of a package whose list and files disagree.",
      fix="Don't add files to a built wheel: include them as package data and build again.",
      section=SECTION, requires=("REL320",))
def record(offered: Offered) -> Iterator[At]:
    """RECORD against the files."""
    file = offered.file
    if not file.is_wheel:
        return
    folder = "{}-{}.dist-info".format(*file.file_parts)
    path = f"{folder}/RECORD"
    data = file.content(path)
    if data is None:
        yield At(f"it lacks {path}")
        return
    try:
        rows = {row[0].replace("\\", "/"): row[1:] for row in csv.reader(data.decode().splitlines()) if row}
    except (UnicodeDecodeError, csv.Error) as error:
        yield At(f"{path} can't be read: {error}")
        return
    there = {name for name in file.files if name not in (f"{folder}/RECORD.jws", f"{folder}/RECORD.p7s")}
    if unlisted := sorted(there - rows.keys()):
        yield At(f"RECORD doesn't list {listed(unlisted)}")
    if absent := sorted(rows.keys() - there):
        yield At(f"RECORD lists what isn't there: {listed(absent)}")
    wrong = [name for name, row in rows.items() if name in there and row and row[0].startswith("sha256=")
             and row[0].removeprefix("sha256=").rstrip("=") != _urlsafe(file.files[name].sha256)]
    if wrong:
        yield At(f"RECORD has another hash for {listed(sorted(wrong))}")


def _urlsafe(digest: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")


@GATE.rule("REL323", "The list of entry points can be read",
      why="PyPI refuses a wheel whose entry_points.txt is no valid list, or whose commands have names with a path "
          "in them.",
      fix="Correct [project.scripts] and [project.entry-points]: names of letters, digits, dots, dashes and "
          "underscores.",
      section="sec-pypi-metadata", requires=("REL320",))
def entry_points(offered: Offered) -> Iterator[At]:
    """entry_points.txt as PyPI reads it."""
    file = offered.file
    data = file.content(f"{file.info}/entry_points.txt") if file.is_wheel else None
    if data is None:
        return
    reader = configparser.ConfigParser(delimiters=("=",))
    reader.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        reader.read_string(data.decode())
    except (UnicodeDecodeError, configparser.Error) as error:
        yield At(f"entry_points.txt can't be read: {str(error).splitlines()[0]}")
        return
    for group in ("console_scripts", "gui_scripts"):
        for name in reader[group] if reader.has_section(group) else ():
            if not ENTRY_NAME.fullmatch(name):
                yield At(f"{name!r} in {group} is not a name for a command")


@GATE.finds(LICENCE_FILE)
def licence_files(offered: Offered) -> Iterator[At]:
    """The licence files that the metadata name."""
    file = offered.file
    folder = "{}-{}.dist-info/licenses/".format(*file.file_parts) if file.is_wheel else ""
    absent = [name for name in file.metadata.get("license_files", []) if folder + name not in file.files]
    # Before metadata 2.4 the field was a tool's own, and wheels kept the files elsewhere.
    if absent and not (file.metadata.get("metadata_version", "") < "2.4" and file.licences):
        yield At(f"the metadata name {listed(absent)}, which isn't in it")


@GATE.rule("REL324", "The code is not encrypted",
      why="PyPI's rules of use ask for readable code; it searches uploads for PyArmor and SourceDefender and "
          "refuses them.",
      fix="Publish the source as it is.",
      section="sec-pypi-inspect")
def readable(offered: Offered) -> Iterator[At]:
    """Code as it was written."""
    file = offered.file
    for path, data in sorted(file.held.items()):
        if path.endswith((".py", ".pye")) and (any(mark in data for mark in ENCRYPTED) or (
                b"---BEGIN PYE " + b"FILE---" in data and b"---END PYE " + b"FILE---" in data)):
            yield At(f"{path} is encrypted")

