"""When a chapter last changed, and in which commits, from git."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import git

EPOCH = "SOURCE_DATE_EPOCH"
FIRST = "1980-01-01"  # the first day that a zip archive, such as an EPUB, can name


def commits(root: Path) -> list[str]:
    """The commits of chapters, newest first, each as lines: its day and subject, then paths relative to `root`.

    Without git or outside a repository there are none.
    """
    log = git(root, "-c", "core.quotePath=off", "log", "--relative", "--format=%x00%cs %s", "--name-only", "--",
              "*.qmd", timeout=120)
    return (log or "").split("\0")[1:]


def changed_days(found: list[str]) -> dict[str, str]:
    """The day of each file's last commit as YYYY-MM-DD, by its path. A file without a commit is not in it."""
    days: dict[str, str] = {}
    for commit in found:
        first, *files = commit.split("\n")
        for file in filter(None, files):
            days.setdefault(file, first.partition(" ")[0])
    return days


def made_at(day: str) -> int:
    """The time that a PDF and an EPUB name as that of their making, in seconds since 1970 (UTC).

    It is `SOURCE_DATE_EPOCH` where the environment has it, else the beginning of `day`, as YYYY-MM-DD, else of a
    fixed one. So two renders of one state have the same bytes. See
    https://reproducible-builds.org/specs/source-date-epoch/.

    Raises HandbookError when SOURCE_DATE_EPOCH is no such time.
    """
    given = os.environ.get(EPOCH)
    if given is None:
        return int(datetime.fromisoformat(f"{day or FIRST}T00:00:00+00:00").timestamp())
    try:
        if datetime.fromtimestamp(int(given), UTC).year < 1970:
            raise ValueError(given)
        return int(given)
    except (ValueError, OverflowError, OSError):
        raise HandbookError(f"{EPOCH} is {given[:40]!r}, which is no time", where="the environment",
                            why="a PDF and an EPUB name it as the time of their making, in seconds since 1970",
                            todo=f"unset {EPOCH}, or set it to what `git log -1 --format=%ct` prints",
                            section="sec-contributing-preview") from None
