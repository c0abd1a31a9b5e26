"""From finished runs to what the page shows: `results.json` and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labhandbook.runs import Bar, as_json, bar_chart, read_results, spread, write_files
from mhi_gp.study import SIZES, WAYS

NAMES = {"true": "true parameters", "sampled": "sampled", "fitted": "fitted"}


def write_results(runs: Sequence[Path], output: Path) -> list[Path]:
    """Gather runs, one for each seed, into `results.json` and `coverage.svg` in the folder `output`; their paths.

    Coverages are in percent. Raises HandbookError when a run has not ended, or has other steps than another.
    """
    outcomes = read_results(runs, WAYS)
    results: dict[str, Any] = {"seeds": len(outcomes)}
    for way in WAYS:
        results[way] = {f"n{size}": spread([100 * one[way][str(size)] for one in outcomes]) for size in SIZES}
    return write_files(output, {"results.json": as_json(results), "coverage.svg": figure(results)})


def figure(results: dict[str, Any]) -> str:
    """The coverage from five observations, and of the fit also from more, as bars."""
    shown = [("true", SIZES[0]), ("sampled", SIZES[0]), *(("fitted", size) for size in SIZES)]
    return bar_chart("New observations within their 95 % interval", [
        Bar(f"{NAMES[way]}, {size} points", results[way][f"n{size}"], "{:.0f} %", main=way != "fitted")
        for way, size in shown], longest=100)
