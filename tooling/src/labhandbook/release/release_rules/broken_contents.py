"""Rules on files of a release that are there, or are named there, and do not work on another machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.core.wording import listed
from labhandbook.package.backend_settings import places, remedy
from labhandbook.package.public_api import DYNAMIC, imported
from labhandbook.release.release_rules.opened_files import opened
from labhandbook.release.release_rules.unwanted_files import CONTENTS, Contents
from labhandbook.release.wheel_probe import NOT_FOR_USERS

POINTER = b"version https://git-lfs.github.com/spec/"
SECTION = "sec-pypi-inspect"


@CONTENTS.rule("REL216", "Large files are in the archives themselves, not as pointers of git LFS",
      why="A clone without git LFS holds three lines of text in place of each large file, and users get these lines.",
      fix="Run git lfs pull, then build again; in GitHub Actions give actions/checkout lfs: true.",
      section=SECTION)
def no_pointers(contents: Contents) -> Iterator[At]:
    """Pointers of git LFS; in the sdist alone they are seldom used."""
    for file in contents.both:
        if found := sorted(path for path, data in file.held.items() if data.startswith(POINTER)):
            yield At(f"pointers of git LFS in place of {listed(found)}", file.file,
                     severity=None if file.is_wheel else WARNING)


@CONTENTS.rule("REL217", "Everyone may read the files",
      why="An archive keeps the permissions of its files. If only the owner may read a file, other users can't use "
          "it after an administrator or a packager has unpacked the archive.",
      fix="Run chmod a+r on the files, and build again.",
      section=SECTION)
def readable_by_all(contents: Contents) -> Iterator[At]:
    """Modes that keep others, or even the owner, from reading."""
    for file in contents.both:
        closed = sorted(path for path, member in file.files.items() if not member.mode & 0o400)
        private = sorted(path for path, member in file.files.items()
                         if member.mode & 0o444 in (0o400, 0o440) and ".dist-info/" not in path)
        if closed:
            yield At(f"nobody may read {listed(closed)}", file.file)
        # Some backends write every member as private; installers set the usual mode then.
        if private and len(private) < len(file.files) / 2:
            yield At(f"only the owner may read {listed(private)}", file.file, severity=WARNING)


@CONTENTS.rule("REL218", "File names differ in more than upper and lower case",
      why="On macOS and Windows one of two such files overwrites the other when the package is installed.",
      fix="Rename one of them.",
      section=SECTION)
def no_twins(contents: Contents) -> Iterator[At]:
    """Files whose paths are equal but for case."""
    for file in contents.both:
        groups: dict[str, list[str]] = {}
        for path in sorted(file.files):
            groups.setdefault(path.casefold(), []).append(path)
        for twins in groups.values():
            if len(twins) > 1:
                yield At(f"{listed(twins)} are one file on macOS and Windows", file.file)


@CONTENTS.rule("REL219", "Scripts have the line ends of Unix",
      why="The system reads the carriage return as a part of the interpreter's name: env: 'bash\\r': No such file.",
      fix="Write *.sh text eol=lf (or the script's name) into .gitattributes, and run git add --renormalize on it.",
      section=SECTION)
def unix_scripts(contents: Contents) -> Iterator[At]:
    """A first line that begins with #! and ends with a carriage return."""
    for file in contents.both:
        found = {path: bool(re.match(r"[^/]+\.data/scripts/", path)) for path, data in sorted(file.held.items())
                 if re.match(rb"#![^\n]*\r\n", data) and not data.startswith(b"#!python")
                 and (not path.endswith(".py") or file.files[path].mode & 0o100)}
        installed = [path for path, script in found.items() if script]
        if installed:
            yield At(f"carriage returns at the line ends of {listed(installed)}", file.file)
        elif found:
            yield At(f"carriage returns at the line ends of {listed(found)}", file.file, severity=WARNING)


@CONTENTS.rule("REL228", "The wheel holds the modules of the package that it imports",
      why="The import fails for everyone but the people who have the checkout.",
      fix="Include the module in the wheel; one that git ignores must be made by the build, or be committed.",
      section="sec-pypi-metadata-packages")
def imports_are_there(contents: Contents) -> Iterator[At]:
    """Imports at the top level of modules, of modules in a package that has no such module."""
    api = contents.wheel.api
    missing: dict[str, list[str]] = {}
    for name, text in api.sources.items():
        for wanted in imported(text or "", name, name in api.packages):
            above = wanted.rpartition(".")[0]
            if (above in api.packages and wanted not in api.known and not NOT_FOR_USERS.search(name)
                    and not DYNAMIC.search(api.sources[above] or "")):
                missing.setdefault(wanted, []).append(name)
    for wanted, users in missing.items():
        path = _ignored(contents, wanted.replace(".", "/") + ".py")
        yield At(f"{listed(users, 3)} imports {wanted}, which is not in it", fix=f"git ignores {path}: commit it, or "
                 "let the build make it." if path else remedy(places(contents.project).modules))


def _ignored(contents: Contents, path: str) -> str:
    """The place in the project of a file of the package that git ignores; empty where there is none."""
    found = (each for each in contents.ignored if f"/{each}".endswith(f"/{path}")
             or (each.endswith("/") and f"/{path}".startswith(f"/{each.removeprefix('src/')}")))
    return next(found, "")


@CONTENTS.rule("REL229", "The wheel holds the files that its code opens",
      why="In the checkout the file is there, so the tests pass; users get FileNotFoundError.",
      fix="Include the file as package data in the backend's settings, then build again.",
      section="sec-pypi-metadata-packages")
def opened_files_are_there(contents: Contents) -> Iterator[At]:
    """Files of the package's folder that a module beside them names, and the wheel lacks."""
    for where, (files, folders) in opened(contents).items():
        if files:
            yield At(f"{where} opens {listed(files)}, which the wheel lacks",
                     fix=next((f"git ignores {place}: commit it, or let the build make it." for path in files
                               if (place := _ignored(contents, path))), remedy(places(contents.project).data)))
        if folders:
            yield At(f"{where} names {listed(folders)}, of which the wheel holds no file", severity=WARNING)


@CONTENTS.rule("REL231", "The wheel's tag names the Pythons that requires-python admits",
      why="The tag py2.py3 offers the wheel to every Python; an old installer that does not read requires-python "
          "installs it where it can't run.",
      fix="Delete universal = 1 under [bdist_wheel] in setup.cfg, or the backend's setting of that name.",
      section="sec-pypi-metadata-python", severity=WARNING)
def tag_agrees(contents: Contents) -> Iterator[At]:
    """A tag for Python 2 on a wheel whose metadata refuse it."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    wheel = contents.wheel
    try:
        admitted = SpecifierSet(str(wheel.metadata.get("requires_python") or ""))
    except InvalidSpecifier:
        return
    if any(tag.startswith("py2-") for tag in wheel.tags) and not admitted.contains("2.7.18"):
        yield At(f"its tag says Python 2, and requires-python says {admitted}")
