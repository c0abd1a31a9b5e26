"""The reading paths as graphs: what to read before what, from the keywords of references.bib."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labhandbook.book.checks.bibliography import read_works
from tooling.figures.drawing import ROOT, SMALL, WIDTH, Picture

# File, what the paths are about, and the topics with their headings where there are several.
PATHS = (
    ("gaussian-processes", "Gaussian processes", {"gaussian-processes": ""}),
    ("bayesian-optimisation", "Bayesian optimisation", {"bayesian-optimisation": ""}),
    ("simulation-based-inference", "simulation-based inference", {"simulation-based-inference": ""}),
    ("deep-rl", "deep reinforcement learning", {"deep-rl": "Continuous control", "offline-rl": "Logged data",
                                                "planning-and-self-play": "Games and self-play"}),
    ("evaluation-over-time", "evaluation over time", {"evaluation-over-time": ""}),
    ("text-classifiers", "text classifiers", {"text-classifiers": ""}),
)
STEP, HEAD, DOT, NAME, TIME = 27, 34, 138, 158, WIDTH - 8
LEVELS = {"intro": ("bg", "accent"), "core": ("accent", "accent"), "advanced": ("caution", "caution")}
SEEN = (
    "The {count} works on {subject} as dots below one another, in the order of the list{groups}, each with its "
    "name and time. Arrows lead from a work to those that build on it. The longest chain goes from {chain}."
)


@dataclass(frozen=True)
class Work:
    """A work: its key, what people call it, its topic, level and minutes, and the keys to read before."""

    key: str
    name: str
    topic: str
    level: str
    minutes: int
    after: tuple[str, ...]


def works() -> dict[str, Work]:
    """All works of a path by their keys, in the order of the file."""
    found = {}
    for entry in read_works((ROOT / "references.bib").read_text(encoding="utf-8"), "references.bib"):
        words = re.findall(r"([\w-]+):([\w-]+)", entry.fields.get("keywords", ""))
        items = dict(words)
        if "topic" in items:
            name = re.sub(r"[{}]", "", entry.fields.get("shorttitle", "") or entry.fields["title"])
            found[entry.key] = Work(entry.key, name, items["topic"], items["level"], int(items["minutes"]),
                                    tuple(key for word, key in words if word == "after"))
    return found


def time(minutes: int) -> str:
    """Minutes up to two hours, then hours and halves: as the list says it."""
    if minutes <= 120:
        return f"{minutes} min"
    halves = int(minutes / 30 + 0.5)
    return f"{halves // 2} h" if halves % 2 == 0 else f"{halves / 2:.1f} h"


def chain(shown: Sequence[Work]) -> list[str]:
    """The names of the longest row of works in which each builds on the one before."""
    longest: dict[str, list[str]] = {}
    for work in shown:
        before = max((longest[key] for key in work.after if key in longest), key=len, default=[])
        longest[work.key] = [*before, work.name]
    return max(longest.values(), key=len)


def arc(picture: Picture, start: float, end: float, widest: float) -> None:
    """The arrow between two dots: straight between neighbours, else in a bow to the left, wider for a longer way."""
    if end - start <= STEP:
        picture.arrow([(DOT, start + 7), (DOT, end - 8)])
        return
    bow = 24 + 146 * (end - start) / widest
    outside = f"{DOT - bow:.0f}"
    picture.curve(f"M{DOT - 7} {start:.0f}C{outside} {start:.0f} {outside} {end:.0f} {DOT - 13} {end:.0f}")
    picture.area([(DOT - 7, end), (DOT - 15, end - 4), (DOT - 15, end + 4)], colour="muted")


def draw(file: str, subject: str, topics: dict[str, str]) -> Picture:
    """One picture of one or more paths."""
    known = works()
    shown = [work for topic in topics for work in known.values() if work.topic == topic]
    outside = list(dict.fromkeys(key for work in shown for key in work.after if known[key].topic not in topics))
    rows: dict[str, float] = {}
    heads: list[tuple[float, str]] = []
    y = 22.0
    if outside:
        heads.append((y, "Read before, on other paths"))
        y += HEAD - 6
    for key in outside:
        rows[key] = y
        y += STEP
    for topic, heading in topics.items():
        if heading or outside:
            y += 10 if rows else 0
            heads.append((y, heading or subject[0].upper() + subject[1:]))
            y += HEAD - 6
        for work in shown:
            if work.topic == topic:
                rows[work.key] = y
                y += STEP
    groups = f" and in {len(topics)} groups" if len(topics) > 1 else ""
    picture = Picture(f"chapters/research/reading-{file}.svg", f"What to read before what: {subject}", SEEN.format(
        count=len(shown), subject=subject, groups=groups, chain=" to ".join(chain(shown))), y + 18)
    ways = [(rows[key], rows[work.key]) for work in shown for key in work.after]
    for start, end in ways:
        arc(picture, start, end, max(to - from_ for from_, to in ways))
    for foot, words in heads:
        picture.text(NAME, foot + 5, words, size=SMALL, colour="muted", bold=True)
    numbers = {work.key: str(place) for topic in topics
               for place, work in enumerate((work for work in shown if work.topic == topic), 1)}
    for key, row in rows.items():
        work = known[key]
        fill, line = LEVELS[work.level]
        picture.circle(DOT, row, 6, fill=fill, line=line, thick=2)
        number = f"{numbers[key]}. " if key in numbers else ""
        picture.text(NAME, row + 5, number + work.name, colour="text" if number else "muted", room=TIME - NAME - 76)
        if number:
            picture.text(TIME, row + 5, time(work.minutes), size=SMALL, colour="muted", anchor="end")
    levels = [level for level in LEVELS if any(known[key].level == level for key in rows)]
    for place, level in enumerate(levels):
        fill, line = LEVELS[level]
        picture.circle(NAME + 8 + place * 110, y + 4, 6, fill=fill, line=line, thick=2)
        picture.text(NAME + 22 + place * 110, y + 9, level, size=SMALL, colour="muted")
    return picture


def pictures() -> Iterator[Picture]:
    """A picture for each page that shows paths."""
    for file, subject, topics in PATHS:
        yield draw(file, subject, topics)
