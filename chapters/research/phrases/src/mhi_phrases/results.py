"""From finished runs to what the page shows: `results.json` and a figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any
from xml.sax.saxutils import escape

from mhi_phrases.corpus import shipped
from mhi_phrases.errors import PhrasesError
from mhi_phrases.study import MODELS, SPLITS

# How far a score may lie from the one of this file when it is made again: other versions of the libraries may round
# and break ties in other ways.
TOLERANCE = 0.03
NAMES = {"baseline": "forest", "incremental": "hashing", "template": "new templates", "row": "known templates"}


def write_results(runs: Sequence[Path], output: Path) -> list[Path]:
    """Gather runs, one for each seed, into `results.json` and `scores.svg` in the folder `output`; their paths.

    Raises PhrasesError when a run has not ended.
    """
    outcomes = [_result(folder) for folder in runs]
    results: dict[str, Any] = {"seeds": len(outcomes), "tolerance": TOLERANCE, "phrases": len(shipped())}
    for model in MODELS:
        results[model] = {}
        for split in SPLITS:
            scores = [one[f"{model}-{split}"] for one in outcomes]
            results[model][split] = {"mean": round(mean(scores), 3),
                                     "spread": round(stdev(scores), 3) if len(scores) > 1 else 0.0}
    texts = {"results.json": json.dumps(results, indent=2) + "\n", "scores.svg": figure(results)}
    for name, text in texts.items():
        fresh = output / f".{name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(output / name)
    return [output / name for name in texts]


def _result(folder: Path) -> dict[str, float]:
    try:
        outcomes: dict[str, float] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PhrasesError(f"{folder} holds no finished run: {error}; finish it with mhi-phrases study") from None
    return outcomes


def figure(results: dict[str, Any]) -> str:
    """The scores as bars, as SVG. The handbook's pages put their own colours in the places of these."""
    rows = [(model, split) for split in SPLITS for model in MODELS]
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 540 190" width="540" height="190" '
             'role="img" font-family="sans-serif" font-size="15">', '<rect width="540" height="190" fill="#fcfdfe"/>']
    for place, (model, split) in enumerate(rows):
        score, y = results[model][split]["mean"], 12 + 44 * place
        shade = "#1b5e8c" if split == "template" else "#465262"
        label = escape(f"{NAMES[model]}, {NAMES[split]}")
        parts += [f'<text x="218" y="{y + 19}" text-anchor="end" fill="#17202b">{label}</text>',
                  f'<rect x="230" y="{y}" width="{240 * score:.1f}" height="28" rx="3" fill="{shade}"/>',
                  f'<text x="{238 + 240 * score:.1f}" y="{y + 19}" fill="#17202b">{score:.2f}</text>']
    return "\n".join([*parts, "</svg>", ""])
