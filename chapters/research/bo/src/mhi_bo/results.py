"""From finished runs to what the page shows: `results.json` and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labhandbook.runs import Bar, as_json, bar_chart, read_results, spread, write_files
from mhi_bo.functions import TARGETS

FOUND = 0.01  # so near to the smallest value counts as found
WAYS = {"random": "random search", "thompson": "Thompson sampling", "ei": "expected improvement"}


def write_results(runs: Sequence[Path], output: Path) -> list[Path]:
    """Gather runs, one for each seed, into `results.json` and `regret.svg` in the folder `output`; their paths.

    Raises HandbookError when a run has not ended, or has other steps than another.
    """
    outcomes = read_results(runs, ("scale", "noise"))

    def over(part: str, value: str, digits: int) -> dict[str, Any]:
        return spread([one[part][value] for one in outcomes], digits)

    results: dict[str, Any] = {"seeds": len(outcomes),
                               "scale": {way: over("scale", way, 2) for way in ("plain", "logged")}}
    for name in TARGETS:
        results[name] = {way: over(f"{name}-{way}", "regret", 3) for way in WAYS}
        results[name]["found"] = sum(one[f"{name}-ei"]["regret"] < FOUND for one in outcomes)
        results[name]["edge"] = round(100 * float(np.mean([one[f"{name}-ei"]["edge"] for one in outcomes])))
    results["noise"] = {value: over("noise", value, 1) for value in outcomes[0]["noise"]}
    return write_files(output, {"results.json": as_json(results), "regret.svg": figure(results)})


def figure(results: dict[str, Any]) -> str:
    """The regrets on Hartmann's function as bars."""
    found = results["hartmann6"]
    return bar_chart("Distance to the minimum of Hartmann's function",
                     [Bar(words, found[way], "{:.2f}", main=way != "random") for way, words in WAYS.items()])
