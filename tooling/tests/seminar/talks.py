"""Talks for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from labhandbook.seminar.calendar_feed import calendar, published
from labhandbook.seminar.check_talks import check
from labhandbook.seminar.talk import Folder, read_folder

NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)
TALK = {
    "speaker": "Maija Meikäläinen", "affiliation": "University of Helsinki",
    "title": "Gaussian processes for sea ice", "recording": "yes",
    "date": "2026-12-03", "start": "10:15", "end": "11:00", "room": "Exactum B123",
    "zoom": "https://helsinki.zoom.us/j/123456", "abstract": "Sea ice moves.\n\nWe fill the gaps.",
    "host": "Matti Meikäläinen", "uid": "f1b5e53e-9bd1-4a8a-8c06-5d2bd7b1e3c0",
}


def write(folder: Path, name: str = "2026-12-03-meikalainen.yml", **changed: object) -> Path:
    """Write a talk that breaks no rule, with some fields changed; None removes one."""
    path = folder / name
    fields = {key: value for key, value in {**TALK, **changed}.items() if value is not None}
    path.write_text(yaml.safe_dump({key.replace("_", "-"): value for key, value in fields.items()},
                                   allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def codes(folder: Path) -> list[str]:
    """The codes of what the check finds."""
    return [finding.rule.code for finding in check(read_folder(folder))]


def feed(folder: Path, now: datetime = NOW) -> bytes:
    """Write the feed as the command does."""
    talks: Folder = read_folder(folder)
    made = calendar(talks, talks.talks, now, published(folder), withdraw=True)
    (folder / "talks.ics").write_bytes(made)
    return made
