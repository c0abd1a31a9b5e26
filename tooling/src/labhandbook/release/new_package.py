"""Starting a package that passes every rule: metadata, sources, tests, licence, change log, citation, docs."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.git import git
from labhandbook.core.templates import fill
from labhandbook.package.project import normalise
from labhandbook.package.version_tables import pythons

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
FIRST = "0.1.0"


@dataclass(frozen=True)
class Answers:
    """What a new package is about; an empty field comes from git or from a default."""

    name: str
    description: str = ""
    author: str = ""
    email: str = ""
    repository: str = ""


def new(folder: Path, answers: Answers, today: date | None = None) -> list[Path]:
    """Write a package into `folder`; the files that were made.

    Raises HandbookError when the name can't be used or a file is there already: nothing is overwritten, and then
    nothing is written.
    """
    day = today or date.today()
    words = placeholders(folder, answers, day)
    files = {folder / fill(name, words): fill(text, words) for name, text in templates()}
    there = [path for path in files if path.exists()]
    # The files of a run that was interrupted may be written again.
    taken = there if len(there) == len(files) else [path for path in there if _text(path) != files[path]]
    if taken or (folder.exists() and not folder.is_dir()):
        raise HandbookError(
            f"{folder} has {', '.join(str(path.relative_to(folder)) for path in taken) or 'no room for a package'}",
            why="nothing that exists is overwritten", todo="choose another folder, or move these files away",
            section="sec-pypi-metadata")
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, text)
    except OSError as error:
        raise HandbookError(f"the package can't be written: {error.strerror}", where=str(error.filename or folder),
                            todo="make room or choose another folder", section="sec-pypi-metadata") from None
    return list(files)


def _text(path: Path) -> str | None:
    """What a file holds; None when it can't be read as text."""
    try:
        return untrusted_data.text(path)
    except HandbookError:
        return None


def following(folder: Path, name: str) -> list[str]:
    """The commands that lead from the new files to a rehearsed first release."""
    return [f"cd {folder}", "git init --initial-branch main && git add --all", 'git commit --message "Start"',
            f'git tag --annotate v{FIRST} --message "{name} {FIRST}"', "handbook release rehearse"]


def placeholders(folder: Path, answers: Answers, day: date) -> dict[str, str]:
    """The words that replace @WORD@. Raises HandbookError when the name can't be used."""
    module = normalise(answers.name).replace("-", "_")
    if not NAME.fullmatch(answers.name) or not module.isidentifier() or keyword.iskeyword(module):
        raise HandbookError(f"{answers.name} can't be the name of a package",
                            why="a name has letters, digits, and - _ . between them, and must be importable",
                            todo="choose another, such as gp-tools", section="sec-pypi-metadata")
    here = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    author = answers.author or git(here, "config", "user.name") or "The authors"
    email = answers.email or git(here, "config", "user.email") or "authors@example.org"
    repository = answers.repository.rstrip("/") or f"https://github.com/acerbilab/{normalise(answers.name)}"
    words = {"NAME": answers.name, "MODULE": module, "AUTHOR": author, "EMAIL": email, "REPOSITORY": repository,
             "DESCRIPTION": answers.description or f"What {answers.name} does, in one sentence."}
    for word, value in words.items():
        if re.search(r'["\\\n]', value):
            raise HandbookError(f"{word.lower()} holds a quotation mark, a backslash or a line break: {value}",
                                todo="leave them out", section="sec-pypi-metadata")
    return {**words, "DOT": ".", "PYTHON": floor(day), "DATE": day.isoformat(), "YEAR": str(day.year)}


def floor(day: date) -> str:
    """The oldest Python that gets fixes on a day."""
    return "{}.{}".format(*min(pythons().alive(day)))


def templates() -> list[tuple[str, str]]:
    """Path and text of every file of a new package."""
    return _below(resources.files("labhandbook.release") / "template", "")


def _below(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            found += _below(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".in"):
            found.append((prefix + entry.name.removesuffix(".in"), entry.read_text(encoding="utf-8")))
    return found
