"""Draw drive.svg and curves.svg, the figures on the page, from results.json. The same numbers give the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mhi_driving.stats import interquartile_mean, interval
from mhi_driving.strip import FONT, LINE, PANEL, QUIET, TEXT, Drive, draw, text

HERE = Path(__file__).parent
NAMES = {"bcq": "BCQ", "bc": "cloning", "q": "plain Q"}
# The light colours of the handbook; its pages put their own in the places of these.
CURVES = {"td3": ("TD3", "#1b5e8c", ""), "ddpg": ("DDPG", "#1c6b45", "2 3"), "d4pg": ("D4PG", "#6d3a96", "9 3"),
          "features": ("TD3, features", "#8a4b00", "9 3 2 3"), "trap": ("TD3, the trap", "#a3231c", "5 3")}
EDGE = "#cfd8e2"
WIDTH, LEFT, RIGHT, PANEL_HEIGHT, TOP, GAP = 540, 52, 390, 150, 44, 48  # pixels
PANELS = (("mean", "metres an episode, of 250", 250.0, (0, 50, 100, 150, 200, 250), 1.0),
          ("saturated", "percent of actions beyond 0.99", 1.0, (0, 0.25, 0.5, 0.75, 1), 100.0))


def strips(results: dict[str, Any]) -> str:
    """The drives of three policies."""
    drives = results["offline"]["strip"]
    return draw({name: Drive(**drives[method]) for method, name in NAMES.items()},
                "Three policies from one log, on a road that none has seen")


def curves(results: dict[str, Any]) -> str:
    """Learning from images: a line for the interquartile mean over seeds, an area for its 95 percent interval."""
    learnt = results["images"]
    found = {**{name: learnt[name] for name in CURVES if name != "features"}, "features": learnt["features"]["td3"]}
    most = max(values["curve"]["step"][-1] for values in found.values())
    height = TOP + len(PANELS) * (PANEL_HEIGHT + GAP)
    title = "Learning from images, on the roads that chose the checkpoint"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 {WIDTH} {height}" '
             f'width="{WIDTH}" height="{height}" role="img" font-family="{FONT}">', f"<title>{title}</title>",
             f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{PANEL}"/>',
             text(16, 24, title, TEXT, "start", 600)]
    for number, (name, label, top, ticks, shown) in enumerate(PANELS):
        upper = TOP + number * (PANEL_HEIGHT + GAP) + 16
        parts += axes(upper, label, top, ticks, shown, most)
        ends: list[tuple[float, float, str]] = []
        for key, values in found.items():
            drawn, end = line(upper, CURVES[key], values["curve"]["step"], values["curve"][name], top, most)
            parts += drawn
            ends.append((*end, key))
        parts += names(ends, {key: len(values["curve"][name]) for key, values in found.items()}, upper)
    return "\n".join([*parts, "</svg>", ""])


def at(step: float, value: float, upper: float, top: float, most: int) -> tuple[float, float]:
    """Where a value of a step is on the picture."""
    return LEFT + (RIGHT - LEFT) * step / most, upper + (PANEL_HEIGHT - 16) * (1 - value / top)


def axes(upper: float, label: str, top: float, ticks: tuple[float, ...], shown: float, most: int) -> list[str]:
    """One panel's lines and numbers."""
    parts = [text(LEFT - 36, upper - 15, label, QUIET, "start")]
    for tick in ticks:
        _, y = at(0, tick, upper, top, most)
        parts += [f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{EDGE}"/>',
                  text(LEFT - 8, y + 4, f"{tick * shown:.0f}", QUIET, "end")]
    for step in range(0, most, 2_000 if most > 5_000 else 1_000):  # names are right of the end
        x, y = at(step, 0, upper, top, most)
        parts.append(text(x, y + 18, f"{step:,}" if step else "0 steps", QUIET, "middle"))
    return [*parts, f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LINE}"/>']


def line(upper: float, look: tuple[str, str, str], steps: list[int], seeds: list[list[float]], top: float,
         most: int) -> tuple[list[str], tuple[float, float]]:
    """One method's area and line, and where that ends."""
    _, colour, dashes = look
    columns = [list(values) for values in zip(*seeds, strict=True)]
    means = [interquartile_mean(column) for column in columns]
    middle = [at(step, mean, upper, top, most) for step, mean in zip(steps, means, strict=True)]
    bounds = [interval(column) for column in columns]
    low, high = ([at(step, bound[side], upper, top, most) for step, bound in zip(steps, bounds, strict=True)]
                 for side in (0, 1))
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    drawn = [f'<polygon points="{points(low + high[::-1])}" fill="{colour}" fill-opacity="0.15"/>',
             f'<polyline points="{points(middle)}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>']
    return drawn, middle[-1]


def names(ends: list[tuple[float, float, str]], seeds: dict[str, int], upper: float) -> list[str]:
    """The methods' names right of the ends of their lines, in the order of those and clear of each other.

    An edge in the panel's colour keeps the panel's lines out of them.
    """
    foot = upper + PANEL_HEIGHT - 26  # clear of the axis
    parts: list[str] = []
    for x in sorted({x for x, _, _ in ends}):
        here = sorted((y, key) for other, y, key in ends if other == x)
        feet: list[float] = []
        for y, _ in here:
            feet.append(max(y, feet[-1] + 15) if feet else y)
        for place in reversed(range(len(feet))):
            feet[place] = min(feet[place], foot - 15 * (len(feet) - 1 - place))
        for y, (_, key) in zip(feet, here, strict=True):
            name, colour, _ = CURVES[key]
            parts.append(text(x + 8, y + 4, f"{name} ({seeds[key]})", colour, "start", 600).replace(
                "<text", f'<text style="paint-order: stroke" stroke="{PANEL}" stroke-width="4"'))
    return parts


def points(places: list[tuple[float, float]]) -> str:
    """Places as an SVG list."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def render() -> dict[str, str]:
    """Each figure as SVG text, by the name of its file."""
    results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    return {"drive.svg": strips(results), "curves.svg": curves(results)}


if __name__ == "__main__":
    for name, picture in render().items():
        (HERE / name).write_text(picture, encoding="utf-8")
