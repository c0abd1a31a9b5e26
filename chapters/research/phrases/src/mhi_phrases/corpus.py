"""Labelled sentences: the small corpus that comes with the package, and any CSV file of yours.

Every sentence has a group: sentences of one group were made from one template, written by one person, or are for
another reason more alike than two sentences that a user will write. A fair test keeps a group on one side.
"""

from __future__ import annotations

import csv
import random
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from labhandbook.runs import HandbookError

SECTION = "sec-phrases-run"
FILLS = 8
SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Phrase:
    """A sentence, its label, and the group that it belongs to."""

    text: str
    label: str
    group: str


def shipped(seed: int = 0) -> list[Phrase]:
    """The corpus of the package: its templates, each filled in at most eight different ways.

    The same `seed` gives the same sentences in the same order.
    """
    text = resources.files("mhi_phrases").joinpath("data/templates.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    chance = random.Random(seed)
    return [Phrase(filled, label, f"{label}-{number}")
            for label, templates in table["labels"].items()
            for number, template in enumerate(templates)
            for filled in _fill(template, table["slots"], chance)]


def _fill(template: str, slots: dict[str, list[str]], chance: random.Random) -> list[str]:
    """The template with words in its slots, every sentence once. One without slots is one sentence."""
    found: dict[str, None] = {}
    for _ in range(FILLS if SLOT.search(template) else 1):
        found[SLOT.sub(lambda slot: chance.choice(slots[slot[1]]), template)] = None
    return list(found)


def read_csv(path: Path) -> list[Phrase]:
    """The sentences of a CSV file with the columns `text` and `label`, and `group` if there is one.

    Without groups every sentence is its own. Raises HandbookError, with the line, when a column or a value is
    missing.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            missing = {"text", "label"} - set(rows.fieldnames or ())
            if missing:
                raise HandbookError(f"no column {' and no column '.join(sorted(missing))}", where=f"{path}:1",
                                    section=SECTION, todo="name the columns text, label and, if you have it, group")
            return list(_rows(path, rows))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise HandbookError(f"the sentences can't be read: {error}", where=str(path), section=SECTION,
                            todo="give a CSV file in UTF-8") from None


def _rows(path: Path, rows: csv.DictReader[str]) -> Iterable[Phrase]:
    for row in rows:
        text, label = (row["text"] or "").strip(), (row["label"] or "").strip()
        if not text or not label:
            raise HandbookError("a text or a label is empty", where=f"{path}:{rows.line_num}", section=SECTION,
                                todo="fill it in, or remove the line")
        yield Phrase(text, label, row.get("group") or f"line-{rows.line_num}")
