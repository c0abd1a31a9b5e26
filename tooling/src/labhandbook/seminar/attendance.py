"""The attendance list as CSV: the empty one, and the filled-in one counted, with what is odd in it."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import WARNING, At, Rules
from labhandbook.core.wording import hint
from labhandbook.seminar.talk import NOT_ON_A_LINE

SECTION = "sec-organising-attendance"
COLUMNS = ("name", "affiliation", "where", "people")
WHERE = {"": "room", "room": "room", "zoom": "zoom"}
EMPTY = (",".join(COLUMNS) + "\n").encode()


@dataclass(frozen=True)
class Visit:
    """A line of the list: someone by name, or a number of people. `line` counts from 1; nothing has been checked."""

    line: int
    cells: list[str]

    def __getitem__(self, column: str) -> str:
        place = COLUMNS.index(column)
        return unicodedata.normalize("NFC", self.cells[place].strip()) if place < len(self.cells) else ""

    @property
    def people(self) -> int:
        """How many people the line stands for; 0 when it does not say."""
        number = self["people"]
        if number:
            return int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 0
        return 1 if self["name"] else 0

    @property
    def who(self) -> tuple[str, str]:
        """Name and affiliation, however they are capitalised and spaced."""
        return " ".join(self["name"].casefold().split()), " ".join(self["affiliation"].casefold().split())


@dataclass(frozen=True)
class Attendance:
    """A filled-in list: `file` is its name in messages."""

    file: str
    visits: tuple[Visit, ...]

    def count(self) -> Counter[str]:
        """How many people came, by `room` and `zoom`. Lines that can't be counted are left out."""
        counts: Counter[str] = Counter()
        for visit in self.visits:
            counts[WHERE.get(visit["where"].casefold(), "")] += visit.people
        del counts[""]
        return counts

    def __str__(self) -> str:
        counts = self.count()
        return f"{self.file}: {counts['room']} in the room, {counts['zoom']} on Zoom, {counts.total()} together"


def read_attendance(path: Path) -> Attendance:
    """The list in a file whose columns are separated by commas, semicolons or tabs.

    Raises HandbookError with `file:line` when it is no such list.
    """
    text = untrusted_data.text(path, section=SECTION)
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True)
    visits, line = [], 1
    try:
        head = [cell.strip().casefold() for cell in next(reader, [])]
        if tuple(head) != COLUMNS:
            raise HandbookError(f"{path} is no attendance list: its first line is not {','.join(COLUMNS)}",
                                where=f"{path}:1", why="the columns are known by that line",
                                todo="fill in the attendance.csv that handbook seminar make writes", section=SECTION)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                visits.append(Visit(line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise HandbookError(f"{path} is not valid CSV: {error}", where=f"{path}:{line}",
                            todo="correct the quotes of that line", section=SECTION) from None
    return Attendance(str(path), tuple(visits))


LISTS: Rules[Attendance] = Rules(lambda attendance: attendance.file)


@LISTS.rule("SEM014", "Each line of an attendance list can be counted", section=SECTION,
            why="A line that is left out, or counted in the wrong place, makes the number of people wrong.",
            fix="Write a name or a number of people in each line, and `room` or `zoom` under `where`. An empty "
                "`where` is the room; an empty `people` is one.")
def countable(attendance: Attendance) -> Iterator[At]:
    """Lines that do not say how many people came, or where."""
    for visit in attendance.visits:
        where, people = visit["where"].casefold(), visit["people"]
        if len(visit.cells) > len(COLUMNS):
            yield At(f"the line has {len(visit.cells)} columns, not {len(COLUMNS)}; put a text with a comma in "
                     "quotes", line=visit.line)
        if where not in WHERE:
            yield At(f"where is {where[:40]}{hint(where, ('room', 'zoom'))}", line=visit.line)
        if people and not visit.people:
            yield At(f"people is {people[:40]}, not a number from 1 to 99999", line=visit.line)
        elif not visit.people:
            yield At("there is neither a name nor a number of people", line=visit.line)
        if any(NOT_ON_A_LINE.search(cell) for cell in visit.cells):
            yield At("the line holds a line break or a control character", line=visit.line)


@LISTS.rule("SEM015", "Nobody is on an attendance list twice", section=SECTION, severity=WARNING,
            why="Someone who signed the list and is in the Zoom meeting is counted twice.",
            fix="Remove one of the lines, or write the affiliations of two people with the same name.")
def once(attendance: Attendance) -> Iterator[At]:
    """Names that are in two lines."""
    first: dict[tuple[str, str], int] = {}
    for visit in attendance.visits:
        if visit["name"] and (line := first.setdefault(visit.who, visit.line)) != visit.line:
            yield At(f"{visit['name'][:60]} is in line {line} too", line=visit.line)
