"""From finished runs to what the page shows: `results.json` and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labhandbook.runs import Bar, as_json, bar_chart, read_results, spread, write_files
from mhi_phrases.corpus import shipped
from mhi_phrases.study import MODELS, SPLITS

NAMES = {"baseline": "forest", "incremental": "hashing", "template": "new templates", "row": "known templates"}


def write_results(runs: Sequence[Path], output: Path) -> list[Path]:
    """Gather runs, one for each seed, into `results.json` and `scores.svg` in the folder `output`; their paths.

    Raises HandbookError when a run has not ended, or has other steps than another.
    """
    outcomes = read_results(runs, (f"{model}-{split}" for model in MODELS for split in SPLITS))
    results: dict[str, Any] = {"seeds": len(outcomes), "phrases": len(shipped())}
    for model in MODELS:
        results[model] = {split: spread([one[f"{model}-{split}"] for one in outcomes], 3) for split in SPLITS}
    return write_files(output, {"results.json": as_json(results), "scores.svg": figure(results)})


def figure(results: dict[str, Any]) -> str:
    """The scores as bars, as SVG."""
    return bar_chart("Scores of two models on two kinds of split", [
        Bar(f"{NAMES[model]}, {NAMES[split]}", results[model][split], "{:.2f}", main=split == "template")
        for split in SPLITS for model in MODELS], longest=1)
