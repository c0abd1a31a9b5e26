"""Talks as iCalendar (RFC 5545): one entry or a feed, whose updates and cancellations calendars recognise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from labhandbook.core import untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.seminar.talk import FEED, MADE, Folder, Talk

SECTION = "sec-organising-feed"
# Helsinki's clock since 1996 (directive 2000/84/EC), in rules: a list of years would end.
ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Helsinki
BEGIN:DAYLIGHT
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
TZNAME:EEST
DTSTART:19970330T030000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
TZNAME:EET
DTSTART:19961027T040000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""
# What a person's calendar shows: when none of it changed, the entry stays what it was.
SHOWN = ("SUMMARY", "DESCRIPTION", "LOCATION", "URL", "STATUS", "DTSTART", "DTEND", "ORGANIZER")


def calendar(folder: Folder, talks: Iterable[Talk], now: datetime, published: dict[str, Any] | None = None, *,
             withdraw: bool = False) -> bytes:
    """The calendar of some talks. `published` are the entries that people may have, by their uid.

    An entry that changed has the next SEQUENCE, one that did not is repeated as it was. With `withdraw`, talks to
    come that were published and have no file any more are cancelled.
    """
    from icalendar import Calendar, Event, Timezone

    before = published or {}
    entries: dict[str, Any] = {}
    for talk in talks:
        if talk.start and talk.end:
            entries[talk.uid] = _numbered(_entry(Event(), folder, talk), before.get(talk.uid), now)
    for uid, old in before.items() if withdraw else ():
        if uid not in entries and _ends(old) > now:
            gone = old.copy()
            gone["STATUS"] = "CANCELLED"
            entries[uid] = _numbered(gone, old, now)
    made = Calendar()
    made.add("prodid", "-//labhandbook//seminar//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", folder.fact("name"))
    made.add("name", folder.fact("name"))
    made.add("refresh-interval", timedelta(hours=12), parameters={"VALUE": "DURATION"})
    made.add_component(Timezone.from_ical(ZONE))
    for entry in entries.values():
        made.add_component(entry)
    written: bytes = made.to_ical()
    return written


def published(folder: Path, feed: Path | None = None) -> dict[str, Any]:
    """The entries that were made before in a folder of talks, by uid: of each the one with the highest SEQUENCE.

    Raises HandbookError when a calendar can't be read.
    """
    found: dict[str, Any] = {}
    for path in (feed or folder / FEED, *sorted((folder / MADE).glob("*/talk.ics"))):
        for event in _events(path) if path.exists() else ():
            uid = str(event.get("UID", ""))
            if uid not in found or _number(event) > _number(found[uid]):
                found[uid] = event
    return found


def outdated(folder: Folder) -> Iterator[Talk]:
    """The talks that the feed of a folder lacks, or shows as they were; none where there is no feed."""
    from icalendar import Event

    path = folder.path / FEED
    shown = {str(event.get("UID", "")): event for event in _events(path)} if path.exists() else {}
    for talk in folder.talks if path.exists() else ():
        if talk.start and talk.end and not _same(_entry(Event(), folder, talk), shown.get(talk.uid)):
            yield talk


def _events(path: Path) -> list[Any]:
    """The entries of a calendar file."""
    from icalendar import Calendar

    try:
        return list(Calendar.from_ical(untrusted_data.content(path, section=SECTION)).walk("VEVENT"))
    except (ValueError, KeyError, IndexError) as error:
        raise HandbookError(f"{path} is not a calendar: {str(error)[:200]}", where=str(path),
                            why="the numbers of earlier entries are in it, and calendars ignore an older number",
                            todo="take the file from git again", section=SECTION) from None


def _entry(event: Any, folder: Folder, talk: Talk) -> Any:
    """A talk's entry, without what numbers it."""
    event.add("uid", talk.uid)
    event.add("summary", f"{talk['speaker']}: {talk['title']}")
    about = [talk["abstract"], f"Zoom: {talk['zoom']}" if talk["zoom"] else "",
             f"Video: {talk['video']}" if talk["video"] else "", folder.fact("web")]
    event.add("description", "\n\n".join(filter(None, about)))
    event.add("location", talk["room"] or talk["zoom"])
    if talk["zoom"] or folder.fact("web"):
        event.add("url", talk["zoom"] or folder.fact("web"))
    event.add("status", "CANCELLED" if talk.cancelled else "CONFIRMED")
    event.add("dtstart", talk.start)
    event.add("dtend", talk.end)
    event.add("organizer", f"mailto:{folder.fact('from')}", parameters={"CN": folder.fact("name")})
    return event


def _numbered(event: Any, old: Any, now: datetime) -> Any:
    """An entry with its number and the moment of its last change."""
    if _same(event, old):
        return old
    for name in ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE"):
        event.pop(name, None)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("last-modified", now.astimezone(UTC))
    event.add("sequence", 0 if old is None else _number(old) + 1)
    return event


def _same(event: Any, old: Any) -> bool:
    """Whether a person's calendar would show nothing new."""
    return old is not None and all(_bytes(event, name) == _bytes(old, name) for name in SHOWN)


def _bytes(event: Any, name: str) -> bytes:
    """A property as it is written, empty where it is missing."""
    value = event.get(name)
    written: bytes = b"" if value is None else value.to_ical() if hasattr(value, "to_ical") else str(value).encode()
    return written


def _number(event: Any) -> int:
    """An entry's SEQUENCE; 0 where it has none."""
    return int(event.get("SEQUENCE", 0))


def _ends(event: Any) -> datetime:
    """When an entry ends; long ago where it does not say."""
    end = event.get("DTEND")
    moment = end.dt if end is not None else None
    return moment if isinstance(moment, datetime) and moment.tzinfo else datetime.min.replace(tzinfo=UTC)
