"""Other libraries read from the calendar what the talks say, also after an update or a cancellation."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
import vobject

from labhandbook.core.errors import HandbookError
from labhandbook.seminar.calendar_feed import published
from tooling.tests.conftest import run
from tooling.tests.seminar.talks import NOW, TALK, codes, feed, write

LATER = NOW + timedelta(days=1)
NAMES = ["Анна Ахматова", "محمد بن موسى الخوارزمي", "王小明", "Nguyễn Thị Minh Khai",
         "Zoe\u0308 A\u030angstro\u0308m",
         "O'Neil; Ann, \\ Jr.", "ชัชชาติ สิทธิพันธุ์", "👩‍🔬 Ada"]


def entries(text: bytes) -> dict[str, Any]:
    """The entries by uid, as icalendar reads them."""
    return {str(event["UID"]): event for event in icalendar.Calendar.from_ical(text).walk("VEVENT")}


def test_another_library_reads_what_the_talk_says(folder: Path) -> None:
    event = vobject.readOne(feed(folder).decode()).vevent
    helsinki = ZoneInfo("Europe/Helsinki")
    assert event.summary.value == f"{TALK['speaker']}: {TALK['title']}" and event.location.value == TALK["room"]
    assert event.dtstart.value == datetime(2026, 12, 3, 10, 15, tzinfo=helsinki)
    assert event.dtend.value == datetime(2026, 12, 3, 11, 0, tzinfo=helsinki)
    assert event.uid.value == TALK["uid"] and event.status.value == "CONFIRMED" and event.url.value == TALK["zoom"]
    assert event.description.value.startswith(TALK["abstract"]) and TALK["zoom"] in event.description.value
    assert event.organizer.value == "mailto:mlseminar@hiit.fi"


def test_a_calendar_program_shows_it_on_its_day(folder: Path) -> None:
    write(folder, "2027-03-29-b.yml", date="2027-03-29", uid="b")
    shown = recurring_ical_events.of(icalendar.Calendar.from_ical(feed(folder))).at((2027, 3, 29))
    assert [(str(event["UID"]), event["DTSTART"].dt.astimezone(UTC).hour) for event in shown] == [("b", 7)]


@pytest.mark.parametrize("name", NAMES)
def test_names_in_any_script_arrive_whole(folder: Path, name: str) -> None:
    write(folder, speaker=name, title=f"{name} in a title that is long enough for the line to be folded {name * 2}")
    made = feed(folder)
    assert all(len(line) <= 75 for line in made.split(b"\r\n")) and b"\n" not in made.replace(b"\r\n", b"")
    summary = vobject.readOne(made.decode()).vevent.summary.value
    assert summary.startswith(unicodedata.normalize("NFC", name) + ": ")


@pytest.mark.parametrize(("day", "start", "hour"), [
    ("2026-10-24", "10:15", 7), ("2026-10-25", "10:15", 8), ("2027-03-27", "10:15", 8), ("2027-03-28", "10:15", 7),
    ("2027-03-28", "04:00", 1), ("2040-07-02", "10:15", 7), ("2040-12-03", "10:15", 8),
])
def test_summer_time(folder: Path, day: str, start: str, hour: int) -> None:
    write(folder, date=day, start=start, end="23:00")
    made = feed(folder)
    assert entries(made)[TALK["uid"]]["DTSTART"].dt.astimezone(UTC).hour == hour
    # vobject takes the zone from the file's own rules under this name, which no library knows.
    own = made.decode().replace("Europe/Helsinki", "Rules-of-the-file")
    assert vobject.readOne(own).vevent.dtstart.value.astimezone(UTC).hour == hour


def test_the_hour_that_summer_time_skips_is_no_time(folder: Path) -> None:
    path = write(folder, date="2027-03-28", start="03:30", end="05:00")
    done = run("seminar", "make", path)
    assert done.returncode == 1 and "SEM003 no clock in Helsinki shows 03:30 on 2027-03-28" in done.stdout


def test_nothing_changes_without_a_change(folder: Path) -> None:
    first = feed(folder)
    assert feed(folder, LATER) == first


def test_an_update_keeps_the_uid_and_counts(folder: Path) -> None:
    feed(folder)
    (folder / "2026-12-03-meikalainen.yml").unlink()
    write(folder, "2026-12-10-meikalainen.yml", date="2026-12-10")
    (event,) = entries(feed(folder, LATER)).values()
    assert str(event["UID"]) == TALK["uid"] and event["SEQUENCE"] == 1 and event["DTSTART"].dt.day == 10
    assert event["DTSTAMP"].dt == LATER == event["LAST-MODIFIED"].dt


def test_a_cancelled_talk_is_shown_as_cancelled(folder: Path) -> None:
    feed(folder)
    write(folder, status="cancelled")
    event = entries(feed(folder, LATER))[TALK["uid"]]
    assert event["STATUS"] == "CANCELLED" and event["SEQUENCE"] == 1


@pytest.mark.parametrize(("now", "kept"), [(LATER, True), (datetime(2026, 12, 4, tzinfo=UTC), False)])
def test_a_talk_whose_file_is_gone_is_cancelled_unless_it_is_over(folder: Path, now: datetime, kept: bool) -> None:
    feed(folder)
    (folder / "2026-12-03-meikalainen.yml").unlink()
    found = entries(feed(folder, now))
    assert [event["STATUS"] for event in found.values()] == ["CANCELLED"] * kept
    assert entries(feed(folder, now + timedelta(hours=1))) == found, "it is cancelled once"


def test_single_entry_and_feed_count_together(folder: Path) -> None:
    path = write(folder)
    assert run("seminar", "feed", folder, "--now", "2026-11-19").returncode == 0
    write(folder, room="Exactum C222")
    assert run("seminar", "make", path, "--now", "2026-11-20").returncode == 0
    write(folder, room="Exactum D122")
    assert run("seminar", "feed", folder, "--now", "2026-11-21").returncode == 0
    assert published(folder)[TALK["uid"]]["SEQUENCE"] == 2
    again = run("seminar", "feed", folder, "--now", "2026-11-22")
    assert "is up to date" in again.stdout


def test_a_talk_without_a_uid_has_one_that_stays(folder: Path) -> None:
    write(folder, uid=None)
    first, second = entries(feed(folder)), entries(feed(folder, LATER))
    assert first.keys() == second.keys() and re.fullmatch(r"[0-9a-f-]{36}", next(iter(first)))


@pytest.mark.parametrize("text", ["nonsense", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "\x00"])
def test_a_damaged_feed_is_named(folder: Path, text: str) -> None:
    (folder / "talks.ics").write_text(text)
    with pytest.raises(HandbookError, match=r"talks\.ics is not a calendar"):
        published(folder)
    assert run("seminar", "feed", folder).returncode == 2


def test_a_calendar_that_is_older_than_a_talk_is_named(folder: Path) -> None:
    assert run("seminar", "feed", folder).returncode == 0 and codes(folder) == []
    path = write(folder, room="Exactum C222")
    done = run("seminar", "check", folder)
    assert done.returncode == 0 and f"{path}:1: SEM016 talks.ics does not show the talk" in done.stdout
    again = run("seminar", "feed", folder)
    assert "SEM016" not in again.stdout and codes(folder) == []
    write(folder, "2026-12-10-b.yml", date="2026-12-10", uid="b")
    assert codes(folder) == ["SEM016"]
