"""`handbook recipe lint`: every rule checks a recipe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import ERROR, Finding, Findings
from labhandbook.recipe.recipe_reader import Reading, find, read
from labhandbook.recipe.recipe_rules import ADVICE, RECIPE


@dataclass(frozen=True)
class Linted:
    """What the rules found in which recipes."""

    findings: Findings
    files: list[str]


def lint(paths: Sequence[Path], also: Callable[[Reading], Iterable[Finding]] = lambda reading: (), *,
         advice: bool = False) -> Linted:
    """Check the recipes at these paths: files, their folders, feedstocks, or the `recipes` folder of a clone.

    With `advice` also what this handbook asks and conda-forge does not.

    `also` finds what a recipe alone does not show, such as whether its source exists. Raises HandbookError when
    there is no recipe.
    """
    readings = [read(path, shown(path)) for given in paths for path in recipes(given)]
    found = (finding for reading in readings for finding in [*judge(reading, advice=advice), *also(reading)])
    rules = len(RECIPE.checks) + advice * len(ADVICE.checks)
    return Linted(Findings.of(found, rules), [reading.file for reading in readings])


def judge(reading: Reading, *, advice: bool = False) -> Findings:
    """What the rules find in one recipe; a recipe that can't be read breaks only that rule.

    What py-rattler-build says counts only on lines without an error of another rule.
    """
    found = RECIPE.run(reading, without=RECIPE.checks.keys() - {"RCP001"} if reading.problem else ())
    if any(one.rule.code == "RCP004" for one in found):  # nobody knows which of the two recipes is meant
        return Findings.of((one for one in found if one.rule.code == "RCP004"), found.rules)
    if advice and not reading.problem:
        found += ADVICE.run(reading)
    better = {one.line for one in found if one.rule.code != "RCP002" and one.weight == ERROR}
    return Findings.of((one for one in found if one.rule.code != "RCP002" or one.line not in better), found.rules)


def recipes(path: Path) -> list[Path]:
    """The recipe files that a path means."""
    try:
        return [find(path)]
    except HandbookError:
        inside = path / "recipes" if (path / "recipes").is_dir() else path
        found = sorted({file.parent for name in ("recipe.yaml", "meta.yaml") for file in inside.glob(f"*/{name}")
                        if not file.parent.name.startswith("example")})
        if not found:
            raise
        return [find(folder) for folder in found]


def shown(path: Path) -> str:
    """A path as seen from the current folder."""
    return Path(os.path.relpath(path)).as_posix()
