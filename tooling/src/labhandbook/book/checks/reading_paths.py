"""Rules for the reading paths: every work complete, in an order that can be followed, and shown.

A book that shows no path has none to check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from labhandbook.book.checks.check_input import BOOK, Reading, Work
from labhandbook.core.rules import At
from labhandbook.core.wording import hint

SHORTCODE = "reading-path"
LEVELS = ("intro", "core", "advanced")
KINDS = ("article", "book", "course", "video")


@dataclass(frozen=True)
class Step:
    """A work with its keywords by name: topic, level, kind, minutes, after."""

    work: Work
    words: Mapping[str, list[str]]

    @cached_property
    def topic(self) -> str:
        """The topic of its path, the first if it names several."""
        return next(iter(self.words.get("topic", [])), "")

    @property
    def after(self) -> list[str]:
        """The keys of the works to read before."""
        return self.words.get("after", [])


def steps(reading: Reading) -> dict[str, Step]:
    """The works by key, in the order of the bibliography; none if no page shows a path."""
    if not any(code.name == SHORTCODE for chapter in reading.chapters.values() for code in chapter.source.shortcodes):
        return {}
    return {work.key: Step(work, _words(work)) for work in reading.works}


def _words(work: Work) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in work.fields.get("keywords", "").split(","):
        name, colon, value = word.strip().partition(":")
        if colon:
            found.setdefault(name, []).append(value)
    return found


@BOOK.rule("BOOK030", "A work in a reading path has its topic, level, kind, minutes and reason",
           section="sec-contributing-reading",
           why="Without topic, level, kind, minutes and reason the reader can't choose what to read or plan the "
               "time.",
           fix="Give the entry one keyword each of topic:, level:, kind: and minutes:, a shorttitle and an "
               "annotation.")
def complete(reading: Reading) -> Iterator[At]:
    """Works that lack what a path shows of them, or have it twice."""
    for step in steps(reading).values():
        for lack in _lacks(step):
            yield At(f"{step.work.key} {lack}", step.work.file, step.work.line)


def _lacks(step: Step) -> Iterator[str]:
    for name, known in (("topic", None), ("level", LEVELS), ("kind", KINDS), ("minutes", None)):
        values = step.words.get(name, [])
        if len(values) != 1:
            yield f"has {len(values) or 'no'} {'keywords' if values else 'keyword'} {name}:"
        elif known and values[0] not in known:
            yield f"has the {name} {values[0]}, which is none of {', '.join(known)}"
        elif name == "minutes" and not (values[0].isdigit() and int(values[0])):
            yield f"has {values[0]} minutes, which is no whole number"
    for name, use in (("shorttitle", "what people call it"), ("annotation", "why to read it")):
        if not step.work.fields.get(name):
            yield f"has no {name}, which says {use}"


@BOOK.rule("BOOK031", "A reading path lists a work after those that it builds on", section="sec-contributing-reading",
           why="People who read in order meet a work before the one that explains it, or one that is missing.",
           fix="Move the entry after those that its after: keywords name, or remove the keyword.")
def order(reading: Reading) -> Iterator[At]:
    """Works above those that are to be read first, or after works that are missing."""
    known = steps(reading)
    places = {key: place for place, key in enumerate(known)}
    sound: dict[str, list[str]] = {}
    for key, step in known.items():
        for before in step.after:
            if before not in known:
                problem = f"is to be read after {before}, which is not in the bibliography{hint(before, known)}"
            elif known[before].topic == step.topic and places[before] >= places[key]:
                problem = f"is above {before}, which is to be read first" if before != key else "is after itself"
            else:
                sound.setdefault(key, []).append(before)
                continue
            yield At(f"{key} {problem}", step.work.file, step.work.line)
    try:
        TopologicalSorter(sound).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]
        first = known[circle[0]].work
        yield At(f"no work can be read first: {' is to be read after '.join(circle)}", first.file, first.line)


@BOOK.rule("BOOK032", "Every work of a reading path is shown on a page", section="sec-contributing-reading",
           why="Nobody reads a work whose path no page shows.",
           fix="Show the path with the shortcode reading-path and its topic, in the levels of its works, or "
               "correct the topic.")
def shown(reading: Reading) -> Iterator[At]:
    """Works of a path that no page shows with their reasons."""
    visible: dict[str, set[str]] = {}
    for chapter in reading.chapters.values():
        for code in chapter.source.shortcodes:
            if code.name == SHORTCODE and code.args and "short" not in code.kwargs:
                visible.setdefault(code.args[0], set()).update(code.kwargs.get("level", " ".join(LEVELS)).split())
    for key, step in steps(reading).items():
        levels = visible.get(step.topic, set())
        if step.topic and not levels & {*step.words.get("level", [])}:
            meant = "" if levels else hint(step.topic, visible)
            yield At(f"no page shows {key} in the path {step.topic}{meant}", step.work.file, step.work.line)
