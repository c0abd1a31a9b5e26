"""The jobs of a release as a graph, from the workflow files of this repository."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tooling.figures.drawing import ROOT, SMALL, WIDTH, Picture, Point, wrap

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
Spot = tuple[float, float, float, float]  # left, top, width, height
HIGH, GAP, LINE = 58, 30, SMALL * 1.3
SEEN = (
    "{count} jobs as boxes from top to bottom, each joined to the jobs that wait for it. {order}. The two jobs that "
    "upload, {uploads}, are filled, and each names its environment. finish/announce waits for finish/verify and "
    "finish/recipe."
)


def jobs(path: Path = WORKFLOW, call: str = "", before: Sequence[str] = (),
         given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The jobs by their ids, those of called workflows behind the id of the calling job."""
    found: dict[str, Any] = {}
    last: dict[str, list[str]] = {}
    for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items():
        waits = [end for each in needs(job) for end in last[each]] or list(before)
        full = call if call.rpartition("/")[2] == name else f"{call}/{name}".strip("/")
        if called := job.get("uses"):
            inner = jobs(ROOT / called.removeprefix("$/"), full, waits, job.get("with", {}))
        else:
            words = re.sub(r"\$\{\{ inputs\.(\w+) }}", lambda at: (given or {})[at[1]], job["name"])
            inner = {full: {**job, "needs": waits, "name": words}}
        waited = {each for one in inner.values() for each in needs(one)}
        last[name] = [each for each in inner if each not in waited]
        found |= inner
    return found


def needs(job: Mapping[str, Any]) -> list[str]:
    """The jobs that a job waits for."""
    found = job.get("needs", [])
    return [found] if isinstance(found, str) else list(found)


def ranks(found: Mapping[str, Any]) -> list[list[str]]:
    """The jobs by how many others must have run before them, one after the other."""
    rank: dict[str, int] = {}
    for name, job in found.items():  # GitHub takes them in any order; this file names each after those it needs
        rank[name] = max((rank[before] + 1 for before in needs(job)), default=0)
    return [[name for name, at in rank.items() if at == number] for number in range(max(rank.values()) + 1)]


def title(job: Mapping[str, Any]) -> str:
    """What a job does; the matrix has the oldest and the newest Python of the package."""
    words = str(job["name"]).replace("Python ${{ matrix.python }}", "the oldest and the newest Python")
    return words.replace("testpypi", "TestPyPI").replace("pypi", "PyPI")


def place(row: list[str], passed: bool) -> list[tuple[float, float]]:
    """Left edge and width of each box of a row; a box leaves room on its left for a line that passes it."""
    if len(row) == 1:
        return [(212, WIDTH - 218)] if passed else [(100, WIDTH - 200)]
    wide = (WIDTH - 12 - (len(row) - 1) * 10) / len(row)
    return [(6 + number * (wide + 10), wide) for number in range(len(row))]


def pictures() -> Iterator[Picture]:
    """The one picture."""
    found, rows = jobs(), ranks(jobs())
    level = {name: number for number, row in enumerate(rows) for name in row}
    passed = {number for name, job in found.items() for before in needs(job)
              for number in range(level[before] + 1, level[name])}
    boxes: dict[str, Spot] = {}
    y = 6.0
    words: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        spots = place(row, number in passed)
        for name, (_, wide) in zip(row, spots, strict=True):
            words[name] = wrap(title(found[name]), SMALL, wide - 16)
            if environment := found[name].get("environment"):
                words[name].append(f"environment {environment}")
        high = HIGH + LINE * (max(len(words[name]) for name in row) - 1)
        boxes |= {name: (left, y, wide, high) for name, (left, wide) in zip(row, spots, strict=True)}
        y += high + GAP
    uploads = [name for name, job in found.items() if "environment" in job]
    order = ", then ".join(" and ".join(row) if len(row) < 3 else f"{', '.join(row[:-1])} and {row[-1]} side by side"
                           for row in rows)
    picture = Picture("chapters/packaging/release-jobs.svg", "The jobs of a release", SEEN.format(
        count=len(found), order=order[0].upper() + order[1:], uploads=" and ".join(uploads)), y - GAP + 6)
    for name, job in found.items():
        for before in needs(job):
            picture.arrow(route(boxes[before], boxes[name], level[name] - level[before] > 1))
    for name, (left, top, wide, high) in boxes.items():
        picture.box(left, top, wide, high, name, words[name], filled=name in uploads)
    yield picture


def route(start: Spot, end: Spot, passes: bool) -> list[Point]:
    """The corners of an arrow from one box down to another."""
    (from_left, from_top, from_wide, from_high), (left, top, wide, _) = start, end
    foot = from_top + from_high + 1
    shared = max(from_left, left), min(from_left + from_wide, left + wide)
    if passes:
        x = shared[0] + 56
    elif abs(from_left + from_wide / 2 - left - wide / 2) < 1 or from_wide == wide:
        x = left + wide / 2
    elif wide > 300 and from_wide > 300:
        x = sum(shared) / 2
    else:
        middle = foot + 10 if from_wide > wide else top - 16
        return [(from_left + from_wide / 2, foot), (from_left + from_wide / 2, middle), (left + wide / 2, middle),
                (left + wide / 2, top - 2)]
    return [(x, foot), (x, top - 2)]
