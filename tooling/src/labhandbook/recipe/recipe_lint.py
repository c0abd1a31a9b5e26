"""`handbook recipe lint`: every rule looks at a recipe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Severity
from labhandbook.recipe.recipe_reader import Reading, find, read
from labhandbook.recipe.recipe_rules import CHECKS


@dataclass(frozen=True)
class Linted:
    """What the rules found in which recipes."""

    findings: list[Finding]
    files: list[str]

    @property
    def failed(self) -> bool:
        """Whether a finding is an error."""
        return any(finding.weight is Severity.ERROR for finding in self.findings)


def lint(paths: Sequence[Path], also: Callable[[Reading], Iterable[Finding]] = lambda reading: ()) -> Linted:
    """Look at the recipes at these paths: files, their folders, feedstocks, or the `recipes` folder of a clone.

    `also` finds what a recipe alone doesn't tell, such as whether its source is there. Raises HandbookError when
    there is no recipe.
    """
    readings = [read(path, shown(path)) for given in paths for path in recipes(given)]
    return Linted([finding for reading in readings for finding in sorted([*judge(reading), *also(reading)])],
                  [reading.file for reading in readings])


def judge(reading: Reading) -> list[Finding]:
    """What the rules find in one recipe; one that can't be read breaks only that rule.

    py-rattler-build has its say only on lines where no other rule says it better.
    """
    if reading.problem:
        return list(CHECKS["RCP001"](reading))
    found = {(one.line, one.rule.code, one.message): one for look in CHECKS.values() for one in look(reading)}
    better = {line for line, code, _ in found if code != "RCP002"}
    return sorted(one for (line, code, _), one in found.items() if code != "RCP002" or line not in better)


def recipes(path: Path) -> list[Path]:
    """The recipe files that a path stands for."""
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
