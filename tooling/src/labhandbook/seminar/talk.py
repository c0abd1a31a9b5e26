"""What a talk is: the file that describes it, read with the place of every field."""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from functools import cache, cached_property
from pathlib import Path

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.untrusted_data import Unreadable
from labhandbook.core.yaml_reader import Value, read_yaml

TALK, TEXTS = "sec-organising-talk", "sec-organising-texts"
SERIES, FEED, MADE = "series.yml", "talks.ics", "made"
PACKAGED = Path(__file__).with_name("texts")
# What a talk's file can say, and what `seminar new` writes behind it as a comment.
FIELDS = {
    "speaker": "as the speaker writes the name", "affiliation": "university, department or company", "title": "",
    "date": "year-month-day", "start": "Helsinki time", "end": "", "room": "empty for a talk on Zoom only",
    "zoom": "empty for a talk in the room only", "recording": "yes or no, once the speaker has answered",
    "abstract": "", "speaker-web": "the speaker's page", "host": "who introduces the speaker",
    "status": "confirmed, or cancelled: a cancelled talk keeps its file", "video": "its address, once uploaded",
    "tags": "words to find the video by", "done": "tasks of `seminar due` that are finished",
    "uid": "how calendars recognise this talk: never change it",
}
DAY, CLOCK = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"([01]?\d|2[0-3])[:.][0-5]\d")
# Controls, line ends and characters that reorder text: none of them belongs in a field of one line.
NOT_ON_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@cache
def helsinki() -> tzinfo:
    """The clock that all talks are on."""
    # Imported when a time is read: the pages of rules need no time zones.
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/Helsinki")


@dataclass(frozen=True)
class Talk:
    """A talk as its file describes it. `file` is the file's name in messages; nothing here has been checked."""

    path: Path
    file: str
    fields: Value

    def __getitem__(self, name: str) -> str:
        """A field without blanks around it, in one Unicode form; empty when it is missing."""
        value = self.fields[name]
        return unicodedata.normalize("NFC", value.text.strip())

    def words(self, name: str) -> list[str]:
        """The entries of a field that is a list, or a single word."""
        return [unicodedata.normalize("NFC", item.text.strip()) for item in self.fields[name].words]

    @cached_property
    def day(self) -> date | None:
        """The day of the talk; None when there is none that exists."""
        try:
            return date.fromisoformat(self["date"]) if DAY.fullmatch(self["date"]) else None
        except ValueError:
            return None

    def clock(self, name: str) -> datetime | None:
        """The moment in Helsinki that the fields `date` and `name` mean; None for one that no clock there shows."""
        written = self[name]
        if self.day is None or not CLOCK.fullmatch(written):
            return None
        hour, minute = re.split("[:.]", written)
        moment = datetime.combine(self.day, time(int(hour), int(minute)), helsinki())
        back = moment.astimezone(UTC).astimezone(helsinki())
        return moment if back.replace(tzinfo=None) == moment.replace(tzinfo=None) else None

    @property
    def start(self) -> datetime | None:
        """When it begins."""
        return self.clock("start")

    @property
    def end(self) -> datetime | None:
        """When it ends."""
        return self.clock("end")

    @property
    def cancelled(self) -> bool:
        """Whether the talk does not take place."""
        return self.fields["status"].word == "cancelled"

    @property
    def recorded(self) -> bool | None:
        """Whether the speaker has agreed to a recording; None while it is open."""
        return {"yes": True, "true": True, "no": False, "false": False}.get(self.fields["recording"].word)

    @property
    def uid(self) -> str:
        """How calendars recognise the talk: its own `uid`, else one that follows from the name of its file."""
        return self["uid"] or str(uuid.uuid5(uuid.NAMESPACE_URL, f"seminars/{self.path.stem}"))

    @property
    def place(self) -> str:
        """Where it is held, in words."""
        return " and on ".join(filter(None, [self["room"], "Zoom" if self["zoom"] else ""])).removeprefix(" and on ")

    @property
    def order(self) -> tuple[date, str, str]:
        """By day, time and file."""
        return self.day or date.max, self["start"].zfill(5), self.file


@dataclass(frozen=True)
class Folder:
    """All talks of a folder in the order of time, the files that can't be read, and the facts of the series."""

    path: Path
    talks: tuple[Talk, ...]
    unreadable: tuple[Unreadable | HandbookError, ...]
    series: Value
    series_file: str

    def fact(self, name: str) -> str:
        """A fact of the series as text."""
        return self.series[name].text.strip()


def read_talk(path: Path, shown: str = "") -> Talk:
    """The talk of a file. Raises HandbookError with `file:line` when it isn't one."""
    shown = shown or str(path)
    value = read_yaml(untrusted_data.text(path, shown, section=TALK), shown, section=TALK)
    if not value.map:
        raise Unreadable(shown, "holds no fields", value.line, why="a talk is a list of lines such as `title: ...`",
                         todo="write one with: handbook seminar new", section=TALK)
    return Talk(path, shown, value)


def read_folder(path: Path) -> Folder:
    """The talks of a folder. Raises HandbookError when there is no such folder or its series can't be read."""
    if not path.is_dir():
        raise HandbookError(f"there is no folder {path}", todo="name the folder that holds the talks, or begin one "
                            "with: handbook seminar init", section=TALK)
    talks, problems = [], []
    for file in sorted(path.glob("*.yml")):
        if file.name != SERIES:
            try:
                talks.append(read_talk(file))
            except HandbookError as error:
                problems.append(error)
    source = path / SERIES if (path / SERIES).exists() else PACKAGED / SERIES
    shown = str(source) if source.parent == path else SERIES
    series = read_yaml(untrusted_data.text(source, shown, section=TEXTS), shown, section=TEXTS)
    return Folder(path, tuple(sorted(talks, key=lambda talk: talk.order)), tuple(problems), series, shown)


def folder_of(file: Path) -> tuple[Folder, Talk]:
    """A talk's folder and the talk. Raises HandbookError when the file can't be read."""
    talk = read_talk(file)
    return read_folder(file.parent), talk
