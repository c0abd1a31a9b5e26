"""`handbook seminar`: one file for each talk, and what is made from it. Each command parses, calls and prints."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labhandbook.cli.report_options import findings_format_option, format_option, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command, shown
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_if_changed
from labhandbook.core.terminal import Progress

if TYPE_CHECKING:
    from labhandbook.core.rules import Findings
    from labhandbook.seminar.talk import Folder

FOLDER = click.argument("folder", type=click.Path(path_type=Path), default="seminars")
ASKED = {"speaker": "Speaker", "affiliation": "Affiliation", "title": "Title", "date": "Day, as 2026-12-03",
         "start": "Start, as 10:15", "end": "End, as 11:00", "room": "Room", "zoom": "Zoom link",
         "recording": "Recording (yes, no or empty)", "host": "Host"}
NEEDED = ("speaker", "title", "date", "start", "end")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def seminar() -> None:
    """Organise a seminar: announcements, calendar and checklists from one file for each talk."""


@seminar.command(cls=Command, section="sec-organising-texts")
@FOLDER
@click.option("--force", is_flag=True, help="Replace files that exist.")
def init(folder: Path, force: bool) -> int:
    """Copy the facts of the series and all templates into FOLDER, for you to edit."""
    from labhandbook.seminar.talk_texts import write_templates

    for path in write_templates(folder, force=force):
        click.echo(f"{shown(path)} written")
    return FINE


@seminar.command(cls=Command, section="sec-organising-talk")
@FOLDER
@click.option("--speaker", help="The speaker's name.")
@click.option("--affiliation", default=None, help="The speaker's university, department or company.")
@click.option("--title", help="The title of the talk.")
@click.option("--date", help="The day, as 2026-12-03.")
@click.option("--start", help="When it begins, as 10:15, in Helsinki time.")
@click.option("--end", help="When it ends.")
@click.option("--room", help="The room; empty for a talk on Zoom only.")
@click.option("--zoom", help="The link of the Zoom meeting; empty for a talk in the room only.")
@click.option("--recording", type=click.Choice(["yes", "no", ""]), help="Whether the speaker agreed to a recording.")
@click.option("--host", help="Who introduces the speaker.")
@click.option("--abstract", default="", help="The abstract.")
@click.option("--name", default="", help="The end of the file's name (default: the speaker's last name).")
def new(folder: Path, name: str, **answers: str | None) -> int:
    """Write the file of a talk. The command asks for what you don't give as an option."""
    from labhandbook.seminar.new_talk import write_talk
    from labhandbook.seminar.talk import read_folder

    usual = read_folder(folder) if folder.is_dir() else None
    for field, question in ASKED.items():
        if answers[field] is None:
            default = usual.fact(field) if usual else ""
            if sys.stdin.isatty():
                default = _ask(field, question, default)
            elif field in NEEDED and not default:
                raise HandbookError(f"no {field} is named", todo=f"add --{field}", section="sec-organising-talk")
            answers[field] = default
    path = write_talk(folder, {field: text or "" for field, text in answers.items()}, name)
    click.echo(f"{shown(path)} written")
    return FINE


@seminar.command(cls=Command, section="sec-organising-check")
@FOLDER
@click.option("--links", is_flag=True, help="Open each address to see whether it answers.")
@findings_format_option
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
def check(folder: Path, links: bool, form: str, strict: bool) -> int:
    """Check all talks of FOLDER: missing fields, double bookings, holidays, links."""
    from labhandbook.core.report import counts
    from labhandbook.seminar.check_talks import check as check_talks
    from labhandbook.seminar.talk import read_folder

    progress = Progress()
    talks = read_folder(folder)
    found = check_talks(talks, links=links)
    show_report(found, form, None, "Seminar check")
    failed = found.failed(strict=strict)
    progress.last(not failed, f"{_talks(talks)}, {found.rules} rules: {counts(found)}")
    return FINDINGS if failed else FINE


@seminar.command(cls=Command, section="sec-organising-make")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--now", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
              help="The moment that a changed calendar entry carries, in UTC (default: now).")
def make(file: Path, now: datetime | None) -> int:
    """Make everything about the talk in FILE: mail, calendar entry, texts, poster, slide and attendance list."""
    from labhandbook.seminar.check_talks import about
    from labhandbook.seminar.make_talk import make as write
    from labhandbook.seminar.talk import folder_of

    folder, talk = folder_of(file)
    if _refused(about(folder, talk)):
        return FINDINGS
    paths, letter = write(folder, talk, _moment(now))
    for path in paths:
        click.echo(shown(path))
    if letter:
        click.echo(f"! No font on this computer shows {letter}: the PDFs have empty boxes in its place. Install a "
                   "font for that script, such as one of the Noto fonts, and run this again.", err=True)
    return FINE


@seminar.command(cls=Command, section="sec-organising-feed")
@FOLDER
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              help="The calendar (default: talks.ics in FOLDER).")
@click.option("--now", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
              help="The moment that a changed entry carries, in UTC (default: now).")
def feed(folder: Path, output: Path | None, now: datetime | None) -> int:
    """Write the calendar of all talks, which people subscribe to.

    A changed talk gets the next number, so that calendars update it. A cancelled talk is shown as cancelled.
    """
    from labhandbook.seminar.calendar_feed import calendar, published
    from labhandbook.seminar.check_talks import check as check_talks
    from labhandbook.seminar.talk import FEED, read_folder
    from labhandbook.seminar.talk_rules import OUTDATED

    talks = read_folder(folder)
    if _refused(check_talks(talks, without=(OUTDATED,))):
        return FINDINGS
    path = output or folder / FEED
    text = calendar(talks, talks.talks, _moment(now), published(folder, path), withdraw=True)
    written = write_if_changed(path, text.decode())
    click.echo(f"{shown(path)} {'written' if written else 'is up to date'}: {_talks(talks)}")
    return FINE


@seminar.command(cls=Command, section="sec-organising-due")
@FOLDER
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day to count from (default: today).")
@click.option("--days", type=click.IntRange(0, 366), default=7, show_default=True, help="How far to look ahead.")
@format_option
def due(folder: Path, today: datetime | None, days: int, form: str) -> int:
    """List who has to do what for the talks of FOLDER. Fails when something is overdue."""
    from labhandbook.seminar.due_tasks import as_text
    from labhandbook.seminar.due_tasks import due as due_tasks
    from labhandbook.seminar.talk import read_folder

    day = today.date() if today else date.today()
    tasks = due_tasks(read_folder(folder), day, days)
    if form == "json":
        click.echo(json.dumps([task.as_json(day) for task in tasks], indent=2, ensure_ascii=False))
    else:
        click.echo(as_text(tasks, day) or f"Nothing is due by {day} or in the {days} days after.")
    return FINDINGS if any(task.state(day) == "overdue" for task in tasks) else FINE


@seminar.command(cls=Command, section="sec-organising-attendance")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@findings_format_option
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
def attendance(files: tuple[Path, ...], form: str, strict: bool) -> int:
    """Count who came, from attendance lists (CSV) that are filled in, and list the lines that can't be right."""
    from labhandbook.core.rules import Findings
    from labhandbook.seminar.attendance import LISTS, read_attendance

    lists = [read_attendance(path) for path in files]
    found = Findings.of((each for one in lists for each in LISTS.run(one)), len(LISTS.checks))
    show_report(found, form, None, "Attendance")
    for one in lists:
        click.echo(str(one), err=form != "text")
    return FINDINGS if found.failed(strict=strict) else FINE


def _ask(field: str, question: str, default: str) -> str:
    """The answer to a question, which is asked again until it can be one."""
    from labhandbook.seminar.new_talk import check_answer

    def fine(answer: str) -> str:
        try:
            check_answer(field, answer)
        except HandbookError as error:
            raise click.UsageError(f"{error}; {error.todo}.") from None
        return answer

    empty = None if field in NEEDED else ""
    answer: str = click.prompt(question, default=default or empty, show_default=bool(default), value_proc=fine,
                               err=True)
    return answer


def _refused(found: Findings) -> bool:
    """Whether errors keep anything from being made; findings are shown either way."""
    if found:
        show_report(found, "text", None, "Seminar check")
    return bool(found.failed())


def _moment(now: datetime | None) -> datetime:
    return (now or datetime.now(UTC)).replace(tzinfo=UTC, microsecond=0)


def _talks(folder: Folder) -> str:
    return f"{len(folder.talks)} talk{'s' if len(folder.talks) != 1 else ''}"
