"""From finished runs to what the page shows: `results.json` and a figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from labhandbook.runs import Bar, bar_chart, read_result, write_files

SCORES = ("sweep", "held", "fitted-rows")
NAMES = {"sweep": "folds of the sweep", "held": "held eras", "fitted-rows": "rows it was fitted to"}
# How far a mean may lie from the one of this file when it is made again.
TOLERANCE = {"mean": 0.01, "sharpe": 0.3}


def write_results(runs: Sequence[Path], output: Path) -> list[Path]:
    """Gather runs, one for each seed, into `results.json` and `scores.svg` in the folder `output`; their paths.

    Raises HandbookError when a run has not ended.
    """
    outcomes = [read_result(folder, SCORES) for folder in runs]
    results: dict[str, Any] = {"seeds": len(outcomes), "tolerance": TOLERANCE}
    for score in SCORES:
        results[score] = {"mean": round(mean(one[score]["mean"] for one in outcomes), 3),
                          "sharpe": round(mean(one[score]["sharpe"] for one in outcomes), 2)}
    return write_files(output, {"results.json": json.dumps(results, indent=2) + "\n", "scores.svg": figure(results)})


def figure(results: dict[str, Any]) -> str:
    """The mean correlations as bars, as SVG."""
    bars = [Bar(NAMES[score], mean := results[score]["mean"], f"{mean:.3f}", main=score != "fitted-rows")
            for score in SCORES]
    return bar_chart("Mean correlation, scored in three ways", bars, longest=max(bar.value for bar in bars))
