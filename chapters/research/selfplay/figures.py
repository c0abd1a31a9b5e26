"""Draw the figure of the page from results.json: lines lost after each iteration, with and without the mistake.

Run it from anywhere: `python chapters/research/selfplay/figures.py`. The same numbers give the same bytes.
"""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
OUT = HERE / "lines-lost.svg"

# The light colours of the book; its pages put their own in the places of these.
RIGHT, WRONG = "#1b5e8c", "#8a4b00"
INK, QUIET, EDGE, PANEL = "#17202b", "#465262", "#cfd8e2", "#fcfdfe"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
WIDTH, HEIGHT = 540, 330
LEFT, RIGHT_EDGE, TOP, BOTTOM = 56, 394, 40, 274
TICKS = (0, 1, 3, 10, 30, 100, 300, 1000)


def draw(results: dict[str, Any]) -> str:
    """The figure as SVG: a thin line a seed, a thick one for the median."""
    groups = [("draws are draws", RIGHT, [seed["curve"] for seed in results["tic-tac-toe"]["seeds"]], ""),
              ("draws are losses", WRONG, [seed["curve"] for seed in results["draws-lose"]["seeds"]], "7 4")]
    most = max(max(curve) for _, _, curves, _ in groups for curve in curves)
    top = next((tick for tick in TICKS if tick >= most), most)
    last = max(len(curve) for _, _, curves, _ in groups for curve in curves)

    def x(iteration: int) -> float:
        return LEFT + (RIGHT_EDGE - LEFT) * (iteration - 1) / max(1, last - 1)

    def y(lost: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * math.log1p(lost) / math.log1p(top)

    def path(curve: list[float], colour: str, width: float, opacity: float, dashes: str) -> str:
        points = " ".join(f"{x(number):.1f},{y(lost):.1f}" for number, lost in enumerate(curve, 1))
        return (f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" '
                f'stroke-opacity="{opacity}" stroke-linejoin="round"'
                + (f' stroke-dasharray="{dashes}"' if dashes else "") + "/>")

    body = []
    for tick in [tick for tick in TICKS if tick <= top]:
        body += [f'<line x1="{LEFT}" y1="{y(tick):.1f}" x2="{RIGHT_EDGE}" y2="{y(tick):.1f}" stroke="{EDGE}"/>',
                 text(LEFT - 10, y(tick) + 5, str(tick), QUIET, "end")]
    body += [text(x(number), BOTTOM + 22, str(number), QUIET) for number in range(1, last + 1)]
    body += [text((LEFT + RIGHT_EDGE) / 2, BOTTOM + 46, "iteration", INK), text(16, 22, "lines lost", INK, "start")]
    for name, colour, curves, dashes in groups:
        body += [path(curve, colour, 1.2, 0.45, dashes) for curve in curves]
        median = [statistics.median(values) for values in zip(*curves, strict=True)]
        body += [path(median, colour, 3, 1, dashes), text(RIGHT_EDGE + 12, y(median[-1]) + 5, name, colour, "start")]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" font-family="{FONT}" font-size="14">',
        "<title>Lines lost after each iteration</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PANEL}"/>', *body, "</svg>", ""])


def text(x: float, y: float, words: str, fill: str, anchor: str = "middle") -> str:
    """A line of text as SVG."""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" text-anchor="{anchor}">{words}</text>'


if __name__ == "__main__":
    OUT.write_text(draw(json.loads((HERE / "results.json").read_text(encoding="utf-8"))), encoding="utf-8")
    print(OUT.name)
