"""From finished runs to what the page shows: `results.json` and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labhandbook.runs import Bar, as_json, bar_chart, read_results, spread, write_files

SCORES = ("sweep", "held", "fitted-rows")
NAMES = {"sweep": "folds of the sweep", "held": "held eras", "fitted-rows": "rows it was fitted to"}


def write_results(runs: Sequence[Path], output: Path) -> list[Path]:
    """Gather runs, one for each seed, into `results.json` and `scores.svg` in the folder `output`; their paths.

    Raises HandbookError when a run has not ended, or has other steps than another.
    """
    outcomes = read_results(runs, SCORES)
    results: dict[str, Any] = {"seeds": len(outcomes)}
    for score in SCORES:
        results[score] = {name: spread([one[score][name] for one in outcomes], digits)
                          for name, digits in (("mean", 3), ("sharpe", 2))}
    return write_files(output, {"results.json": as_json(results), "scores.svg": figure(results)})


def figure(results: dict[str, Any]) -> str:
    """The mean correlations as bars, as SVG."""
    return bar_chart("Mean correlation, scored in three ways", [
        Bar(NAMES[score], results[score]["mean"], "{:.3f}", main=score != "fitted-rows") for score in SCORES])
