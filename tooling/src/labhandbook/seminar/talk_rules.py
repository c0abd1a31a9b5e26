"""The rules of a folder of talks: what each text needs, two talks in one place, days off, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import combinations
from urllib.parse import urlsplit

from labhandbook.core.http_client import HttpClient, NoAnswer
from labhandbook.core.rules import ERROR, UNVERIFIED, WARNING, At, Rules
from labhandbook.core.untrusted_data import line_in
from labhandbook.core.wording import hint, listed
from labhandbook.seminar.calendar_feed import SECTION as FEED_SECTION
from labhandbook.seminar.calendar_feed import outdated
from labhandbook.seminar.talk import CLOCK, DAY, FEED, FIELDS, NOT_ON_A_LINE, TALK, TEXTS, Folder, Talk

TALKS: Rules[Folder] = Rules(lambda folder: str(folder.path))
CHECK, RECORDING = "sec-organising-check", "sec-organising-recording"
LINKS = ("zoom", "speaker-web", "video")
NEEDED = ("speaker", "title", "date", "start", "end")
LONGEST_LINE, LONGEST_ABSTRACT = 300, 10_000  # characters
EMAIL = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[^\s@<>(),;:\\\"\[\]]+\.[^\s@<>(),;:\\\"\[\]]+")
STATES = ("confirmed", "cancelled")
LISTS = ("tags", "done")
GONE = (404, 410)
OUTDATED = "SEM016"


@TALKS.rule("SEM001", "Each file of a talk can be read", section=TALK,
            why="No text can be made from a file that is not YAML or has no fields.",
            fix="Correct the line; a missing colon, quote or indentation is the usual cause.")
def readable(folder: Folder) -> Iterator[At]:
    """Files that are no talks."""
    for error in folder.unreadable:
        yield At(getattr(error, "problem", error.what), error.where.rpartition(":")[0]
                 if line_in(error.where) else error.where, line_in(error.where))


@TALKS.rule("SEM002", "A talk has a speaker, a title, a day, times and a place", section=TALK,
            why="The announcement and the calendar need these fields.",
            fix="Fill the field in; a talk needs a room, a Zoom link or both.")
def needed(folder: Folder) -> Iterator[At]:
    """Empty fields without which no text can be written."""
    for talk in folder.talks:
        missing = [name for name in NEEDED if not talk[name]]
        if not talk["room"] and not talk["zoom"]:
            missing.append("room or zoom")
        if missing:
            yield At(f"{listed(missing, 9)} {'is' if len(missing) == 1 else 'are'} missing", talk.file,
                     talk.fields.at(missing[0]))


@TALKS.rule("SEM003", "Day and times exist, and the end is after the start", section=TALK,
            why="A calendar shows the talk at another time, or refuses it. In the night when summer time begins, the "
                "clock in Helsinki skips the hour from 03:00 to 04:00.",
            fix="Write the day as `2026-12-03` and times as `10:15`, in Helsinki time.")
def times(folder: Folder) -> Iterator[At]:
    """Days and times that no calendar has."""
    for talk in folder.talks:
        if talk["date"] and talk.day is None:
            yield At(f"date is {talk['date'][:40]}: {no_day(talk['date'])}", talk.file, talk.fields.at("date"))
            continue
        for name in ("start", "end"):
            if talk[name] and talk.day and talk.clock(name) is None:
                shown = (f"no clock in Helsinki shows {talk[name]} on {talk.day}" if CLOCK.fullmatch(talk[name])
                         else f"{name} is {talk[name][:40]}: write a time as 10:15")
                yield At(shown, talk.file, talk.fields.at(name))
        if talk.start and talk.end and talk.end <= talk.start:
            yield At(f"it ends at {talk['end']}, not after its start at {talk['start']}", talk.file,
                     talk.fields.at("end"))


def no_day(written: str) -> str:
    """Why a text is not a day: another form, or a day like 31 November."""
    return "no calendar has this day" if DAY.fullmatch(written) else "write a day as 2026-12-03"


@TALKS.rule("SEM004", "A file's name begins with the day of its talk", section=TALK, severity=WARNING,
            why="Files are sorted by name. If the name has the old day, nobody finds the talk under its new one.",
            fix="Rename the file. Calendars keep the talk, because its `uid` stays.")
def named(folder: Folder) -> Iterator[At]:
    """Names with another day."""
    for talk in folder.talks:
        if talk.day and not talk.path.name.startswith(f"{talk.day}-"):
            yield At(f"the talk is on {talk.day}", talk.file, talk.fields.at("date"))


@TALKS.rule("SEM005", "Each field has a known name and value, and is written once", section=TALK,
            why="A field with a misspelt name is ignored. Of two fields with the same name, only the last counts.",
            fix="Correct the name or remove the field.")
def known(folder: Folder) -> Iterator[At]:
    """Names that nothing reads, and lists where one text belongs."""
    for talk in folder.talks:
        for name, line in talk.fields.keys.items():
            if name not in FIELDS:
                yield At(f"no field is called {name[:60]}{hint(name, FIELDS)}", talk.file, line)
            elif name not in LISTS and isinstance(talk.fields[name].held, dict | list):
                yield At(f"{name} is a list; write one text", talk.file, line)
        for name, line in talk.fields.repeated.items():
            yield At(f"{name[:60]} is written twice", talk.file, line)
        if talk["status"] and talk.fields["status"].word not in STATES:
            yield At(f"status is neither {' nor '.join(STATES)}", talk.file, talk.fields.at("status"))


@TALKS.rule("SEM006", "Fields of one line hold one line, and no text is too long", section=TALK,
            why="A line break in a name or a title could add a line to the header of the mail, and mail programs "
                "refuse very long lines.",
            fix=f"Write it on one line of at most {LONGEST_LINE} characters; an abstract may have "
                f"{LONGEST_ABSTRACT}.")
def lengths(folder: Folder) -> Iterator[At]:
    """Line breaks, control characters and endless texts."""
    for talk in folder.talks:
        for name in talk.fields.map:
            text = talk[name]
            if name == "abstract":
                if len(text) > LONGEST_ABSTRACT:
                    yield At(f"the abstract has {len(text)} characters", talk.file, talk.fields.at(name))
                text = re.sub(r"[\n\t]", "", text)
            elif len(text) > LONGEST_LINE:
                yield At(f"{name[:60]} has {len(text)} characters", talk.file, talk.fields.at(name))
            if NOT_ON_A_LINE.search(text):
                yield At(f"{name[:60]} holds a line break or a control character", talk.file, talk.fields.at(name))


@TALKS.rule("SEM007", "Each link is a whole https address that answers", section=CHECK,
            why="Nobody can open half an address, and people notice a dead link only when the talk begins.",
            fix="Copy the address from the browser. Use `--links` to have each address opened.")
def links(folder: Folder) -> Iterator[At]:
    """Addresses that are none."""
    for talk in folder.talks:
        for name in LINKS:
            if talk[name] and not is_link(talk[name]):
                yield At(f"{name} is not an https address: {talk[name][:80]}", talk.file, talk.fields.at(name))


@TALKS.rule("SEM008", "No two talks are in one room, on one Zoom link or by one speaker at the same time",
            section=CHECK, why="Only one of them can take place.",
            fix="Move one of the talks, or write `status: cancelled` in its file.")
def double_bookings(folder: Folder) -> Iterator[At]:
    """Talks that overlap and share something."""
    held = [talk for talk in folder.talks if not talk.cancelled and talk.start and talk.end]
    for one, other in combinations(held, 2):
        assert one.start and one.end and other.start and other.end
        if one.day == other.day and one.start < other.end and other.start < one.end:
            for name in ("room", "zoom", "speaker"):
                if one[name] and one[name].casefold() == other[name].casefold():
                    yield At(f"{name} is taken at that time by {one.path.name}", other.file, other.fields.at(name))


@cache
def days_off(year: int) -> dict[date, str]:
    """The public holidays of Finland in a year, by their English names."""
    import holidays

    return dict(holidays.country_holidays("FI", years=year, language="en_US"))


@TALKS.rule("SEM009", "A talk is on a working day", section=CHECK, severity=WARNING,
            why="On public holidays and at weekends the building is locked and few people come.",
            fix="Choose another day.", source="the package holidays, country FI")
def working_days(folder: Folder) -> Iterator[At]:
    """Talks on public holidays and at weekends."""
    for talk in folder.talks:
        if talk.day and not talk.cancelled and talk.day.year >= 2000:
            off = days_off(talk.day.year).get(talk.day) or (f"a {talk.day:%A}" if talk.day.weekday() > 4 else "")
            if off:
                yield At(f"{talk.day} is {off}", talk.file, talk.fields.at("date"))


@TALKS.rule("SEM010", "Each talk has a uid of its own", section=TALK,
            why="Calendars recognise a talk by its uid. Of two talks with the same uid they show one; without a uid "
                "a file that is renamed becomes a second talk.",
            fix="Remove the line `uid` from the copied file, and add the line that `handbook seminar new` prints.")
def uids(folder: Folder) -> Iterator[At]:
    """Copied and missing uids."""
    first: dict[str, Talk] = {}
    for talk in folder.talks:
        if not talk["uid"]:
            yield At("uid is missing", talk.file, 0, WARNING)
        elif first.setdefault(talk["uid"], talk) is not talk:
            yield At(f"{first[talk['uid']].path.name} has the same uid", talk.file, talk.fields.at("uid"))


@TALKS.rule("SEM011", "A video is online only when its speaker has agreed", section=RECORDING,
            why="A recording holds personal data of its speaker, who decides whether it is published.",
            fix="Ask the speaker with the text `consent.txt`, then write `recording: yes` or `recording: no`.")
def consent(folder: Folder) -> Iterator[At]:
    """Recordings nobody agreed to, and questions that are open."""
    for talk in folder.talks:
        if talk["video"] and talk.recorded is not True:
            yield At("a video is named, and the speaker has not agreed to a recording", talk.file,
                     talk.fields.at("video"))
        elif talk.recorded is None and not talk.cancelled:
            yield At("recording is neither yes nor no: ask the speaker", talk.file, talk.fields.at("recording"),
                     WARNING)


@TALKS.rule("SEM012", "A talk has an abstract and its speaker's affiliation", section=TALK, severity=WARNING,
            why="People decide by the abstract whether to come.", fix="Ask the speaker, and fill in what is missing.")
def described(folder: Folder) -> Iterator[At]:
    """Talks that say too little."""
    for talk in folder.talks:
        for name in ("abstract", "affiliation"):
            if not talk[name] and not talk.cancelled:
                yield At(f"{name} is missing", talk.file, talk.fields.at(name))


@TALKS.rule("SEM013", "The series has a name, and addresses that mails go from and to", section=TEXTS,
            why="The name and the addresses are in the header of each mail and in each entry of the calendar.",
            fix="Correct the line in `series.yml`; `handbook seminar init` writes the file.")
def series(folder: Folder) -> Iterator[At]:
    """What the series lacks."""
    for name in ("name", "from", "to", "web"):
        text, line = folder.fact(name), folder.series.at(name)
        if name == "to" and not text:
            yield At("`to` is empty: the announcement (mail.eml) has no recipient", folder.series_file, line, WARNING,
                     "Write the address of the mailing list as `to` in `series.yml`; `handbook seminar init` writes "
                     "the file.")
        elif name in ("from", "to"):
            if not EMAIL.fullmatch(text):
                yield At(f"{name} is not an e-mail address: {text[:80] or 'it is empty'}", folder.series_file, line)
        elif name == "web":
            if text and not is_link(text):
                yield At(f"web is not an https address: {text[:80]}", folder.series_file, line)
        elif not text or NOT_ON_A_LINE.search(text) or len(text) > LONGEST_LINE:
            yield At("name is not one line of text", folder.series_file, line)


@TALKS.rule(OUTDATED, "The calendar of all talks says what their files say", section=FEED_SECTION, severity=WARNING,
            why="People who subscribed to the calendar, and readers of the book, see the old day or room.",
            fix="Run `handbook seminar feed`, and publish the file again.")
def current(folder: Folder) -> Iterator[At]:
    """Talks that the calendar lacks, or shows as they were."""
    for talk in outdated(folder):
        yield At(f"{FEED} does not show the talk as it is here", talk.file, talk.fields.line)


def is_link(text: str) -> bool:
    """Whether a text is a whole https address."""
    try:
        parts = urlsplit(text)
        return (parts.scheme == "https" and "." in (parts.hostname or "") and not re.search(r"[\s<>\"]", text)
                and not text.endswith("..."))
    except ValueError:
        return False


def ask_links(folder: Folder) -> Iterator[At]:
    """What the addresses answer: an error where one is gone, unverified where no answer came."""
    client = HttpClient(seconds=10)
    for talk in folder.talks:
        for name in LINKS:
            if is_link(talk[name]):
                try:
                    answer = client.ask("GET", talk[name])
                except NoAnswer as error:
                    yield At(f"{name}: {error}", talk.file, talk.fields.at(name), UNVERIFIED)
                    continue
                if not answer.ok:
                    weight = ERROR if answer.status in GONE else UNVERIFIED
                    yield At(f"{name} answers {answer.status} {answer.reason}", talk.file, talk.fields.at(name),
                             weight)
