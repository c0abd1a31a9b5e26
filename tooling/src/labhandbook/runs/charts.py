"""The charts of the projects' pages, as SVG: bars, and curves with their spread over seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labhandbook.runs import svg
from labhandbook.runs.spread import interquartile_mean, interval

LABEL, START, LONGEST, ROW = 218, 230, 240, 44  # of bars: labels' end, bars' begin, the longest, rows
LEFT, RIGHT, TOP, HEIGHT, GAP, FOOT = 52, 384, 60, 134, 60, 44  # of curves: panels and what is around them
LINE = 15  # from one name beside a panel to the next
LOOKS = ((svg.BLUE, ""), (svg.AMBER, "7 4"), (svg.GREEN, "2 3"), (svg.VIOLET, "9 3 2 3"), (svg.RED, "5 3"))


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: what it is, its `spread` over seeds, how a number is printed, and whether it stands out."""

    label: str
    seeds: Mapping[str, Any]
    number: str = "{:g}"
    main: bool = True


@dataclass(frozen=True)
class Curve:
    """One line of a chart: its name, its steps, and of each seed the values at those steps."""

    name: str
    steps: Sequence[float]
    seeds: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Panel:
    """Curves over the same steps: what the values are, which of them have a line, and how these are printed.

    The first and the last of `ticks` are the foot and the top of the panel. On a logarithmic panel equal distances
    are equal ratios of 1 + value, so that zero has its place.
    """

    label: str
    curves: Sequence[Curve]
    ticks: Sequence[float]
    number: Callable[[float], str] = "{:g}".format
    logarithmic: bool = False


def bar_chart(title: str, bars: Sequence[Bar], longest: float = 0.0) -> str:
    """Bars below each other, as SVG: interquartile means, with a line for the 95 percent interval.

    A bar of the value `longest` has the whole width, or what is longest among the bars and their intervals.
    """
    longest = max(longest, *(max(bar.seeds["iqm"], bar.seeds["high"]) for bar in bars))
    parts: list[str] = []
    for place, bar in enumerate(bars):
        y = 12 + ROW * place
        width, low, high = (LONGEST * bar.seeds[name] / longest for name in ("iqm", "low", "high"))
        parts += [svg.text(LABEL, y + 19, bar.label, "end"),
                  f'<rect x="{START}" y="{y}" width="{width:.1f}" height="28" rx="3" '
                  f'fill="{svg.BLUE if bar.main else svg.QUIET}"/>',
                  # The panel's colour around it keeps the line visible on the bar.
                  *(f'<line x1="{START + low:.1f}" x2="{START + high:.1f}" y1="{y + 14}" y2="{y + 14}" '
                    f'stroke="{colour}" stroke-width="{wide}"/>' for colour, wide in ((svg.PANEL, 6), (svg.INK, 2))),
                  svg.text(START + 8 + max(width, high), y + 19, bar.number.format(bar.seeds["iqm"]))]
    return svg.picture(ROW * len(bars) + 14, title, parts)


def line_chart(title: str, panels: Sequence[Panel], ticks: Sequence[int], unit: str) -> str:
    """Panels below each other, as SVG, each with up to five curves over the same steps, `unit` by name.

    A line is the interquartile mean over the seeds, the area around it its 95 percent interval. Behind a curve's name
    is the number of its seeds. Steps with a number below them are `ticks`; the first is the panels' left edge.
    """
    last = max(curve.steps[-1] for panel in panels for curve in panel.curves)
    parts = [svg.text(16, 24, title, strong=True)]
    for number, panel in enumerate(panels):
        place = _Place(panel, TOP + number * (HEIGHT + GAP), ticks[0], last)
        parts += _axes(panel, place, ticks)
        drawn = [_curve(curve, place, *look) for curve, look in zip(panel.curves, LOOKS, strict=False)]
        parts += [part for lines, _ in drawn for part in lines]
        parts += _names(panel.curves, [end for _, end in drawn], place.foot)
    height = TOP + len(panels) * (HEIGHT + GAP) - GAP + FOOT
    return svg.picture(height, title, [*parts, svg.text((LEFT + RIGHT) / 2, height - 8, unit, "middle", svg.QUIET)])


class _Place:
    """Where a value of a step is on the picture."""

    def __init__(self, panel: Panel, upper: int, first: float, last: float) -> None:
        self.foot = upper + HEIGHT
        self._scale: Callable[[float], float] = math.log1p if panel.logarithmic else float
        self._low, self._high = self._scale(panel.ticks[0]), self._scale(panel.ticks[-1])
        self._first, self._last = first, last

    def __call__(self, step: float, value: float) -> tuple[float, float]:
        along = (step - self._first) / (self._last - self._first)
        above = (self._scale(value) - self._low) / (self._high - self._low)
        return LEFT + (RIGHT - LEFT) * along, self.foot - HEIGHT * above


def _axes(panel: Panel, place: _Place, ticks: Sequence[int]) -> list[str]:
    """One panel's label, lines and numbers."""
    parts = [svg.text(16, place.foot - HEIGHT - 14, panel.label, fill=svg.QUIET)]
    for value in panel.ticks:
        x, y = place(ticks[0], value)
        stroke = svg.QUIET if value == panel.ticks[0] else svg.EDGE
        parts += [f'<line x1="{x:.1f}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{stroke}"/>',
                  svg.text(x - 8, y + 5, panel.number(value), "end", svg.QUIET)]
    return parts + [svg.text(place(step, panel.ticks[0])[0], place.foot + 18, f"{step:,}", "middle", svg.QUIET)
                    for step in ticks]


def _curve(curve: Curve, place: _Place, colour: str, dashes: str) -> tuple[list[str], tuple[float, float]]:
    """One curve's area and line, and where that ends."""
    columns = list(zip(curve.steps, zip(*curve.seeds, strict=True), strict=True))
    middle = [place(step, interquartile_mean(values)) for step, values in columns]
    bounds = [(step, interval(values)) for step, values in columns]
    area = [place(step, low) for step, (low, _) in bounds] + [place(step, high) for step, (_, high) in bounds[::-1]]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return [f'<polygon points="{svg.points(area)}" fill="{colour}" fill-opacity="0.15"/>',
            f'<polyline points="{svg.points(middle)}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>',
            ], middle[-1]


def _names(curves: Sequence[Curve], ends: Sequence[tuple[float, float]], foot: float) -> list[str]:
    """The names right of the ends of their lines, in the order of those and clear of each other and of the axis.

    An edge in the panel's colour keeps the panel's lines out of them.
    """
    parts: list[str] = []
    for x in sorted({x for x, _ in ends}):
        here = sorted((y, number) for number, (other, y) in enumerate(ends) if other == x)
        feet: list[float] = []
        for y, _ in here:
            feet.append(max(y, feet[-1] + LINE) if feet else y)
        for place in reversed(range(len(feet))):
            feet[place] = min(feet[place], foot - 10 - LINE * (len(feet) - 1 - place))
        for y, (_, number) in zip(feet, here, strict=True):
            words = f"{curves[number].name} ({len(curves[number].seeds)})"
            parts.append(f'<g stroke="{svg.PANEL}" stroke-width="4" style="paint-order: stroke">'
                         + svg.text(x + 8, y + 5, words, fill=LOOKS[number][0], strong=True) + "</g>")
    return parts
