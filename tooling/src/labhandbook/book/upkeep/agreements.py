"""Questions that the group has to settle for itself: `agreements.yml` beside the pages of "Working together"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from labhandbook.book.book_rules import SETTLED
from labhandbook.book.facts import Fact
from labhandbook.core.rules import Finding

PART = re.compile(r"agreements\.([\w-]+)\.(question|ask|answer)")


def open_questions(facts: Sequence[Fact]) -> Iterator[Finding]:
    """One finding for each question whose answer is empty; the remedy names whom to ask."""
    parts: dict[str, dict[str, Fact]] = {}
    for fact in facts:
        if match := PART.fullmatch(fact.name):
            parts.setdefault(match[1], {})[match[2]] = fact
    for each in parts.values():
        question, answer = each.get("question"), each.get("answer")
        if question and not (answer and answer.value.strip()):
            whom = each["ask"].value if "ask" in each else "the group"
            yield Finding(question.file, question.line, SETTLED, f"not settled: {question.value}",
                          remedy=f"Ask {whom}, and write the answer with its source and days.")
