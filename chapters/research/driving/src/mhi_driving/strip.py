"""A drive as a strip: the lane pulled straight, and where each policy went on it until it left the lane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np

from mhi_driving.drive import Policy
from mhi_driving.lane import HALF_WIDTH, LENGTH, LaneVectorEnv

WIDTH, LEFT, TOP, LANE, GAP = 540, 84, 44, 56, 30  # pixels
# The light colours of the handbook; its pages put their own in the places of these.
PANEL, ROAD, LINE, TEXT, QUIET, ACCENT, STOP = ("#fcfdfe", "#f2f5f8", "#465262", "#17202b", "#465262", "#1b5e8c",
                                                "#a3231c")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


@dataclass(frozen=True)
class Drive:
    """Where one car went: metres along the lane and to the left of its centre, and whether it left the lane."""

    along: list[float]
    beside: list[float]
    left: bool


def record(policy: Policy, seed: int, view: str = "state") -> Drive:
    """Drive one episode on the road of a seed."""
    envs = LaneVectorEnv(1, view)
    envs.reset(seed=[seed])
    cars = envs.cars
    along, beside = [float(cars.s[0])], [float(cars.e[0])]
    while True:
        # One step of the cars themselves: the environment would put the car on the next road at the end.
        _, left, ended = cars.step(policy(cars.see()))
        along.append(float(cars.s[0]))
        beside.append(float(cars.e[0]))
        if left[0] or ended[0]:
            return Drive(along, beside, bool(left[0]))


def draw(drives: Mapping[str, Drive], title: str) -> str:
    """The strips as SVG, one below the other. The same drives always give the same bytes."""
    height = TOP + len(drives) * (LANE + GAP) + 22
    metre = (WIDTH - LEFT - 32) / LENGTH  # the last number of metres has its place
    ends = "; ".join(f"{name} {'leaves the lane after' if drive.left else 'drives'} {drive.along[-1]:.0f} m"
                     for name, drive in drives.items())
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 {WIDTH} {height}" '
             f'width="{WIDTH}" height="{height}" role="img" font-family="{FONT}">',
             f'<title>{escape(title)}</title>', f'<desc>{escape(ends)}.</desc>',
             f'<rect width="{WIDTH}" height="{height}" fill="{PANEL}"/>',
             text(16, 26, title, TEXT, "start", 600)]
    for number, (name, drive) in enumerate(drives.items()):
        top = TOP + number * (LANE + GAP)
        parts += lane(top, metre, name, drive)
    foot = height - 12
    parts += [text(LEFT + metre * at, foot, f"{at} m", QUIET, "middle") for at in range(0, LENGTH + 1, 50)]
    return "\n".join([*parts, "</svg>", ""])


def lane(top: int, metre: float, name: str, drive: Drive) -> list[str]:
    """One strip; sideways a metre is drawn larger than along."""
    middle = top + LANE / 2
    points = " ".join(f"{LEFT + metre * s:.1f},{middle - np.clip(e / HALF_WIDTH, -1.15, 1.15) * LANE / 2:.1f}"
                      for s, e in zip(drive.along, drive.beside, strict=True))
    x, y = points.rsplit(" ", 1)[-1].split(",")
    parts = [f'<rect x="{LEFT}" y="{top}" width="{metre * LENGTH:.1f}" height="{LANE}" fill="{ROAD}"/>',
             f'<line x1="{LEFT}" x2="{LEFT + metre * LENGTH:.1f}" y1="{middle}" y2="{middle}" stroke="{LINE}" '
             'stroke-dasharray="8 8"/>',
             f'<polyline points="{points}" fill="none" stroke="{ACCENT}" stroke-width="2"/>',
             text(LEFT - 10, middle + 5, name, TEXT, "end", 600)]
    if drive.left:
        parts += [f'<circle cx="{x}" cy="{y}" r="5" fill="{STOP}"/>',
                  text(float(x) + 12, middle - 9, f"out after {drive.along[-1]:.0f} m", STOP, "start")]
    return parts


def text(x: float, y: float, words: str, fill: str, anchor: str, weight: int = 400) -> str:
    """A line of text as SVG."""
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="14" font-weight="{weight}" fill="{fill}" '
            f'text-anchor="{anchor}">{escape(words)}</text>')
