"""`handbook seminar check`: runs every rule on the talks of a folder."""

from __future__ import annotations

from collections.abc import Collection

from labhandbook.core.rules import REGISTRY, Finding, Findings
from labhandbook.seminar.talk import Folder, Talk
from labhandbook.seminar.talk_rules import TALKS, ask_links


def check(folder: Folder, *, links: bool = False, without: Collection[str] = ()) -> Findings:
    """The findings in a folder of talks, but those of some codes; with `links` each address is asked for."""
    found = TALKS.run(folder, without=without)
    if links:
        found += [Finding(at.file, at.line, REGISTRY["SEM007"], at.message, at.severity) for at in ask_links(folder)]
    return found


def about(folder: Folder, talk: Talk) -> Findings:
    """The findings that concern one talk: those in its file and in that of the series."""
    found = check(folder)
    return Findings.of((each for each in found if each.file in (talk.file, folder.series_file)), found.rules)
