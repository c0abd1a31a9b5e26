"""When a chapter last changed, from git."""

from __future__ import annotations

from pathlib import Path

from labhandbook.core.process import git


def changed_days(root: Path) -> dict[str, str]:
    """The day of each file's last commit as YYYY-MM-DD, by path relative to `root`.

    A file without a commit is not in it; without git or outside a repository it is empty.
    """
    log = git(root, "-c", "core.quotePath=off", "log", "--relative", "--format=%x00%cs", "--name-only", "--", "*.qmd",
              timeout=120)
    if log is None:
        return {}
    days: dict[str, str] = {}
    for commit in log.split("\0")[1:]:
        day, *files = commit.split("\n")
        for file in files:
            if file:
                days.setdefault(file, day)
    return days
