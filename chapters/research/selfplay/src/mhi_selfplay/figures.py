"""The figure of the page, from the numbers in results.json: lines lost after each iteration."""

from __future__ import annotations

from typing import Any

from labhandbook.runs import Curve, Panel, line_chart

FIGURE = "lines-lost.svg"
TICKS = (0, 3, 10, 30, 100, 300, 1000)


def draw(results: dict[str, Any]) -> str:
    """The figure as SVG, with and without the mistake."""
    iterations = range(1, results["tic-tac-toe"]["iterations"] + 1)
    curves = [Curve(name, iterations, [seed["curve"] for seed in results[part]["seeds"]])
              for name, part in (("draw is a draw", "tic-tac-toe"), ("draw is a loss", "draws-lose"))]
    most = max(max(lost) for curve in curves for lost in curve.seeds)
    ticks = TICKS[:2 + sum(tick < most for tick in TICKS[1:])]
    return line_chart("Lines lost by the network alone", [Panel("lines lost", curves, ticks, logarithmic=True)],
                      iterations, "iteration")
