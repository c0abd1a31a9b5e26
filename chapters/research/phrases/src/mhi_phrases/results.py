"""From finished runs to what the page shows: `results.json` and a figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from labhandbook.runs import Bar, bar_chart, read_result, write_files
from mhi_phrases.corpus import shipped
from mhi_phrases.study import MODELS, SPLITS

# How far a score may lie from the one of this file when it is made again: other versions of the libraries may round
# and break ties in other ways.
TOLERANCE = 0.03
NAMES = {"baseline": "forest", "incremental": "hashing", "template": "new templates", "row": "known templates"}


def write_results(runs: Sequence[Path], output: Path) -> list[Path]:
    """Gather runs, one for each seed, into `results.json` and `scores.svg` in the folder `output`; their paths.

    Raises HandbookError when a run has not ended.
    """
    outcomes = [read_result(folder, (f"{model}-{split}" for model in MODELS for split in SPLITS)) for folder in runs]
    results: dict[str, Any] = {"seeds": len(outcomes), "tolerance": TOLERANCE, "phrases": len(shipped())}
    for model in MODELS:
        results[model] = {}
        for split in SPLITS:
            scores = [one[f"{model}-{split}"] for one in outcomes]
            results[model][split] = {"mean": round(mean(scores), 3),
                                     "spread": round(stdev(scores), 3) if len(scores) > 1 else 0.0}
    return write_files(output, {"results.json": json.dumps(results, indent=2) + "\n", "scores.svg": figure(results)})


def figure(results: dict[str, Any]) -> str:
    """The scores as bars, as SVG."""
    rows = [(f"{NAMES[model]}, {NAMES[split]}", results[model][split]["mean"], split == "template")
            for split in SPLITS for model in MODELS]
    return bar_chart("Scores of two models on two kinds of split",
                     [Bar(label, score, f"{score:.2f}", main) for label, score, main in rows], longest=1)
