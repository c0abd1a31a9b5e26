"""From finished runs to what the page shows: `results.json` and a figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from labhandbook.core.errors import HandbookError

SCORES = ("sweep", "held", "fitted-rows")
NAMES = {"sweep": "folds of the sweep", "held": "held eras", "fitted-rows": "rows it was fitted to"}
# How far a mean may lie from the one of this file when it is made again.
TOLERANCE = {"mean": 0.01, "sharpe": 0.3}


def write_results(runs: Sequence[Path], output: Path) -> list[Path]:
    """Gather runs, one for each seed, into `results.json` and `scores.svg` in the folder `output`; their paths.

    Raises HandbookError when a run has not ended.
    """
    outcomes = [_result(folder) for folder in runs]
    results: dict[str, Any] = {"seeds": len(outcomes), "tolerance": TOLERANCE}
    for score in SCORES:
        results[score] = {"mean": round(mean(one[score]["mean"] for one in outcomes), 3),
                          "sharpe": round(mean(one[score]["sharpe"] for one in outcomes), 2)}
    texts = {"results.json": json.dumps(results, indent=2) + "\n", "scores.svg": figure(results)}
    for name, text in texts.items():
        fresh = output / f".{name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(output / name)
    return [output / name for name in texts]


def _result(folder: Path) -> dict[str, Any]:
    try:
        outcomes: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HandbookError("this is no finished run", where=str(folder), why=str(error), section="sec-eras-run",
                            todo="finish it with mhi-eras study") from None
    return outcomes


def figure(results: dict[str, Any]) -> str:
    """The mean correlations as bars, as SVG. The handbook's pages put their own colours in the places of these."""
    scale = 240 / max(results[score]["mean"] for score in SCORES)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 540 146" width="540" height="146" '
             'role="img" font-family="sans-serif" font-size="15">', '<rect width="540" height="146" fill="#fcfdfe"/>']
    for place, score in enumerate(SCORES):
        value, y = results[score]["mean"], 12 + 44 * place
        shade = "#465262" if score == "fitted-rows" else "#1b5e8c"
        parts += [f'<text x="208" y="{y + 19}" text-anchor="end" fill="#17202b">{NAMES[score]}</text>',
                  f'<rect x="220" y="{y}" width="{scale * value:.1f}" height="28" rx="3" fill="{shade}"/>',
                  f'<text x="{228 + scale * value:.1f}" y="{y + 19}" fill="#17202b">{value:.3f}</text>']
    return "\n".join([*parts, "</svg>", ""])
