"""A drive as a strip: the lane pulled straight, and where each policy went on it until it left the lane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from labhandbook.runs import svg
from mhi_driving.drive import Policy
from mhi_driving.lane import HALF_WIDTH, LENGTH, LaneVectorEnv

LEFT, TOP, LANE, GAP = 84, 44, 56, 30  # pixels
ROAD = "#f2f5f8"


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
    metre = (svg.WIDTH - LEFT - 32) / LENGTH  # the last number of metres has its place
    ends = "; ".join(f"{name} {'leaves the lane after' if drive.left else 'drives'} {drive.along[-1]:.0f} m"
                     for name, drive in drives.items())
    parts = [svg.text(16, 26, title, strong=True)]
    for number, (name, drive) in enumerate(drives.items()):
        parts += lane(TOP + number * (LANE + GAP), metre, name, drive)
    parts += [svg.text(LEFT + metre * at, height - 12, f"{at} m", "middle", svg.QUIET)
              for at in range(0, LENGTH + 1, 50)]
    return svg.picture(height, f"{title}: {ends}", parts)


def lane(top: int, metre: float, name: str, drive: Drive) -> list[str]:
    """One strip; sideways a metre is drawn larger than along."""
    middle = top + LANE / 2
    places = [(LEFT + metre * s, middle - float(np.clip(e / HALF_WIDTH, -1.15, 1.15)) * LANE / 2)
              for s, e in zip(drive.along, drive.beside, strict=True)]
    x, y = places[-1]
    parts = [f'<rect x="{LEFT}" y="{top}" width="{metre * LENGTH:.1f}" height="{LANE}" fill="{ROAD}"/>',
             f'<line x1="{LEFT}" x2="{LEFT + metre * LENGTH:.1f}" y1="{middle}" y2="{middle}" stroke="{svg.QUIET}" '
             'stroke-dasharray="8 8"/>',
             f'<polyline points="{svg.points(places)}" fill="none" stroke="{svg.BLUE}" stroke-width="2"/>',
             svg.text(LEFT - 10, middle + 5, name, "end", strong=True)]
    if drive.left:
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{svg.RED}"/>',
                  svg.text(x + 12, middle - 9, f"out after {drive.along[-1]:.0f} m", fill=svg.RED)]
    return parts
