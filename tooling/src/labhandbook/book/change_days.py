"""When a chapter last changed, and in which commits, from git."""

from __future__ import annotations

from pathlib import Path

from labhandbook.core.process import git


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
