"""Rules for the facts files: where a value comes from, and whether it is due for review."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from labhandbook.book.book_rules import REVIEW
from labhandbook.book.checks.check_input import BOOK, Reading
from labhandbook.book.facts import Fact
from labhandbook.core.rules import WARNING, At

SOON = timedelta(days=30)


def _missing(fact: Fact, today: date) -> list[str]:
    found = [name for name, value in (("source", fact.source), ("checked", fact.checked),
                                      ("review-by", fact.review_by)) if not value]
    problems = [f"no {' and no '.join(found)} (days as 2026-11-22)"] if found else []
    if fact.checked and fact.checked > today:
        problems.append(f"a checked day that is still to come ({fact.checked})")
    if fact.checked and fact.review_by and fact.review_by <= fact.checked:
        problems.append(f"a review day ({fact.review_by}) that is not after the checked day ({fact.checked})")
    return problems


def _and_more(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


@BOOK.rule("BOOK024", "A fact has a source, a checked day and a review day", section="sec-contributing-facts",
           why="Without them nobody knows whether a value still holds, or where to look it up.",
           fix="Add source:, checked: and review-by: (days as 2026-11-22) to the value or to a mapping above it.")
def stamps(reading: Reading) -> Iterator[At]:
    """Values without a source or a readable day; one finding for those of a file that lack the same."""
    lacking: dict[tuple[str, str], list[Fact]] = {}
    for fact in reading.facts:
        if problem := _missing(fact, reading.today):
            lacking.setdefault((fact.file, ", and ".join(problem)), []).append(fact)
    for (file, lack), facts in lacking.items():
        verb = "has" if len(facts) == 1 else "have"
        yield At(f"{_and_more([fact.name for fact in facts])} {verb} {lack}", file, facts[0].line)


@BOOK.finds(REVIEW)
def review(reading: Reading) -> Iterator[At]:
    """Values past their review day (error) or near it (warning), by the line of the stamp."""
    due: dict[tuple[str, int, date], list[Fact]] = {}
    for fact in reading.facts:
        if fact.review_by and fact.review_by - reading.today <= SOON:
            line = _stamp_line(reading.texts.get(fact.file, []), fact, fact.review_by)
            due.setdefault((fact.file, line, fact.review_by), []).append(fact)
    for (file, line, day), facts in due.items():
        names = _and_more([fact.name for fact in facts])
        left = (day - reading.today).days
        if left < 0:
            yield At(f"{names}: to be looked up again by {day}, which is past", file, line)
        else:
            when = {0: "today", 1: "tomorrow"}.get(left, f"in {left} days")
            yield At(f"{names}: to be looked up again by {day}, {when}", file, line, WARNING)


def _stamp_line(lines: list[str], fact: Fact, day: date) -> int:
    """The line of the `review-by:` that holds for a fact: the nearest above it, or else the first below it."""
    found = [number for number, text in enumerate(lines, 1) if "review-by:" in text and str(day) in text]
    above = [number for number in found if number <= fact.line]
    return above[-1] if above else found[0] if found else fact.line
