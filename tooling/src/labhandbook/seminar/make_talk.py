"""`handbook seminar make`: everything that is made from the file of a talk."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from labhandbook.core.files import write_atomic
from labhandbook.seminar.announcement import mail
from labhandbook.seminar.attendance import EMPTY
from labhandbook.seminar.calendar_feed import calendar, published
from labhandbook.seminar.printed_sheets import sheets
from labhandbook.seminar.talk import MADE, Folder, Talk
from labhandbook.seminar.talk_texts import filled, video, words


def make(folder: Folder, talk: Talk, now: datetime) -> tuple[list[Path], str]:
    """Write what is made from a talk into its folder below `made/`.

    Returns the paths, and the first letter that no font on this computer shows in the PDFs, else "". The attendance
    list is somebody's to fill in: one that is there stays.
    """
    entry = calendar(folder, [talk], now, published(folder.path))
    meant = words(folder, talk)
    printed, letter = sheets(folder, talk)
    made = {"mail.eml": mail(folder, talk, entry), "talk.ics": entry,
            "event.txt": filled(folder, "event.txt", meant).encode(), "video.txt": video(folder, talk).encode(),
            "consent.txt": filled(folder, "consent.txt", meant).encode(), **printed}
    target = folder.path / MADE / talk.path.stem
    target.mkdir(parents=True, exist_ok=True)
    if not (target / "attendance.csv").exists():
        made["attendance.csv"] = EMPTY
    for name, content in made.items():
        write_atomic(target / name, content)
    return [target / name for name in made], letter
