"""Patches: a change of a recipe in a branch or a `.diff`, and a recipe's own patches of its sdist."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.process import environment, run, run_git
from labhandbook.core.rules import Finding
from labhandbook.package.distribution import Distribution
from labhandbook.recipe import checkout
from labhandbook.recipe.recipe_reader import Reading, find, read
from labhandbook.recipe.recipe_rules.release_agreement import PATCHES

SECTION = "sec-conda-forge-update"
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's name of a folder without files


def changed(file: Path, change: str, folder: Path) -> Reading:
    """The recipe as a branch of its feedstock or the file of a diff leaves it, in a new folder.

    Raises HandbookError when there is no such branch or file, or the diff does not apply.
    """
    here = file.resolve().parent
    place, options = folder / here.name, [f"--include={here.name}/*"]
    if Path(change).is_file():
        shutil.copytree(here, place, ignore=shutil.ignore_patterns("output", ".git"))
        text = untrusted_data.content(Path(change)).decode("utf-8", "surrogateescape")
    else:
        names = (change, f"origin/{change}", f"upstream/{change}")
        commit = next((found.stdout.strip() for name in names if not name.startswith("-") and (
            found := run_git(here, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")).returncode == 0), "")
        if not commit:
            raise HandbookError(f"there is no branch and no file {change}", where=str(here),
                                todo="fetch the pull request first, then name it: git fetch upstream "
                                     "pull/NUMBER/head, and --change FETCH_HEAD", section=SECTION)
        text = checkout.git(here, "diff", "--no-ext-diff", "--no-textconv", "--relative", "--binary", NOTHING,
                            commit, "--", ".") + "\n"
        options = [f"--directory={here.name}"]
    if why := _refused(text, folder, *options):
        raise HandbookError(f"{change} does not apply to this recipe", where=str(here), why=why,
                            todo="check out the branch that it was made for", section=SECTION)
    return read(find(place), f"{change}:{find(place).name}")


def outdated(reading: Reading, sdist: Distribution) -> Iterator[Finding]:
    """The patches of a recipe that do not apply to an sdist."""
    for value in reading.values("source.patches"):
        path = reading.path.parent / value.text
        if "{{" in value.text:
            continue
        if not path.is_file():
            yield Finding(reading.file, value.line, PATCHES, f"there is no file {value.text}")
            continue
        text = untrusted_data.content(path).decode("utf-8", "surrogateescape")
        touched = set(re.findall(r"^(?:---|\+\+\+) (?:[ab]/)?([^\t\n\r]+)", text, re.MULTILINE)) - {"/dev/null"}
        with tempfile.TemporaryDirectory() as name:
            for inside in touched:
                target = Path(name, inside)
                if inside in sdist.held and target.resolve().is_relative_to(Path(name).resolve()):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(sdist.held[inside])
            # conda's tools apply a hunk of which one line of context fits.
            why = min((_refused(text, Path(name), "--check", "-C1", "--ignore-whitespace", strip)
                       for strip in ("-p1", "-p0")), key=bool)
        if why:
            yield Finding(reading.file, value.line, PATCHES,
                          f"{value.text} does not apply to {sdist.file}: {why.splitlines()[0]}")


def _refused(text: str, folder: Path, *options: str) -> str:
    """Apply a diff to a folder; why git refuses it, empty when it does not."""
    patch = folder / "handbook.diff"
    patch.write_bytes(text.encode("utf-8", "surrogateescape"))
    # Below another repository git would leave out the paths of this folder without a word.
    done = run(["git", "-c", "core.autocrlf=false", "apply", *options, patch.name], cwd=folder,
               env=environment({"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)}))
    patch.unlink()
    return done.stderr.strip() or f"git apply ended with status {done.returncode}" if done.returncode else ""
