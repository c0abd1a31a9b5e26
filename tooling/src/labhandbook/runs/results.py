"""From finished runs to what a page shows: their results, and files that are replaced whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.runs.values import SECTION, read_object


def read_results(folders: Sequence[Path], names: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The results of finished runs of one study, all of the same number of steps.

    A result of an earlier version, without its number of steps, is taken with any other. Raises HandbookError when a
    run has not ended well, when its result lacks one of the names, and when the numbers of steps differ.
    """
    wanted = tuple(names)
    results = [_read(folder, wanted) for folder in folders]
    known = {result["steps"]: folder for folder, result in zip(folders, results, strict=True) if "steps" in result}
    if len(known) > 1:
        (some, one), (others, other), *_ = known.items()
        raise HandbookError(f"the runs differ in their steps: {one} has {some}, {other} has {others}",
                            where=str(other), section=SECTION, why="their results can't be put into one interval",
                            todo="prolong the shorter runs to the steps of the longest")
    return results


def _read(folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    try:
        result = read_object(folder / "result.json")
    except (HandbookError, OSError, ValueError) as error:
        raise HandbookError(f"{folder} holds no finished run", where=str(folder), why=str(error), section=SECTION,
                            todo="run its study to the end") from None
    if lacks := [name for name in names if name not in result]:
        raise HandbookError(f"{folder} is a run of something else", where=str(folder), section=SECTION,
                            why=f"its result has no {lacks[0]}", todo="name runs of this study")
    return result


def as_json(results: Mapping[str, Any]) -> str:
    """JSON with a line for each number and each list of numbers, so that two versions can be compared by eye."""
    spread_out = json.dumps(results, indent=2)
    return re.sub(r"\[[^][{}]*]", lambda found: json.dumps(json.loads(found[0])), spread_out) + "\n"


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write files by name, each replaced whole; their paths."""
    for name, text in texts.items():
        write_atomic(folder / name, text)
    return [folder / name for name in texts]
