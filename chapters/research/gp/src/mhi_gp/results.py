"""From finished runs to what the page shows: `results.json` and a figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from labhandbook.runs import Bar, bar_chart, read_result, write_files
from mhi_gp.study import SIZES, WAYS

NAMES = {"true": "true parameters", "sampled": "sampled", "fitted": "fitted"}


def write_results(runs: Sequence[Path], output: Path) -> list[Path]:
    """Gather runs, one for each seed, into `results.json` and `coverage.svg` in the folder `output`; their paths.

    Coverages are in percent. Raises HandbookError when a run has not ended.
    """
    outcomes = [read_result(folder, WAYS) for folder in runs]
    results: dict[str, Any] = {"seeds": len(outcomes)}
    for way in WAYS:
        shares = {size: [100 * one[way][str(size)] for one in outcomes] for size in SIZES}
        results[way] = {f"n{size}": round(mean(each), 1) for size, each in shares.items()}
        results[way]["error"] = round(max(_error(each) for each in shares.values()), 1)
    return write_files(output, {"results.json": json.dumps(results, indent=2) + "\n",
                                "coverage.svg": figure(results)})


def _error(values: Sequence[float]) -> float:
    """The standard error of a mean over seeds."""
    return stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


def figure(results: dict[str, Any]) -> str:
    """The coverage from five observations, and of the fit also from more, as bars."""
    rows = [(f"{NAMES[way]}, {size} points", results[way][f"n{size}"], way != "fitted")
            for way, sizes in (("true", SIZES[:1]), ("sampled", SIZES[:1]), ("fitted", SIZES)) for size in sizes]
    return bar_chart("New observations within their 95 % interval",
                     [Bar(label, share, f"{share:.0f} %", main) for label, share, main in rows], longest=100)
