"""`handbook watch`: looks for what is new and delivers it. It parses, calls and prints."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labhandbook.cli.report_options import format_option, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command
from labhandbook.core.escapes import visible
from labhandbook.core.terminal import Progress

if TYPE_CHECKING:
    from labhandbook.core.rules import Findings
    from labhandbook.watch.watch_file import WatchFile
    from labhandbook.watch.watch_state import State

SHORTEST, LONGEST = 60, 3600  # seconds between two rounds


@click.command(cls=Command, section="sec-watching")
@click.argument("file", type=click.Path(path_type=Path), default="watch.yml")
@click.option("--once", is_flag=True, help="Look once and end, as cron and scheduled workflows need.")
@click.option("--now", "early", is_flag=True, help="Ask for what is not due yet too, also hosts to be left alone.")
@click.option("--state", "kept", type=click.Path(path_type=Path, dir_okay=False),
              help="The file that remembers what was seen (default: one in your home for each FILE).")
@click.option("-q", "--quiet", is_flag=True, help="Print only what is new, warnings and errors.")
@format_option
def watch(file: Path, once: bool, early: bool, kept: Path | None, quiet: bool, form: str) -> int:
    """Watch pages, feeds, releases and pull requests for what is new.

    FILE (default: watch.yml) lists them. Without --once it looks again and again until you stop it. It ends
    with 0 whether or not something is new, and with 1 when something went wrong.
    """
    from labhandbook.watch.watch_file import read_watches
    from labhandbook.watch.watch_state import opened, place

    watches = read_watches(file)
    with opened(kept or place(file)) as state:
        while True:
            failed = _round(watches, state, early, quiet or form == "json", form)
            if once:
                return FINDINGS if failed else FINE
            early = False
            due = min(state.entry(each).get("next", 0) for each in watches.watches)
            pause(min(LONGEST, max(SHORTEST, due - time.time())))


def pause(seconds: float) -> None:
    """Wait; a signal ends it. One that comes just before a sleep is seen only after it, so each sleep is short."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 1))


def _round(watches: WatchFile, state: State, early: bool, quiet: bool, form: str) -> bool:
    """One round: look, deliver, report. Whether something went wrong."""
    from labhandbook.core.report import counts
    from labhandbook.core.rules import Findings, Severity
    from labhandbook.watch.polite_client import PoliteClient
    from labhandbook.watch.watch_notices import deliver, ways
    from labhandbook.watch.watch_round import Round

    progress = Progress()
    this = Round(watches, state, ways(watches), PoliteClient(watches.contact, state.hosts, early))
    this.ask_all()
    found = Findings.of([*this.findings, *deliver(watches, state)])
    if quiet and form == "text":
        found = Findings.of(each for each in found if each.weight is not Severity.UNVERIFIED)
    number = _tell(state, found, form)
    if not quiet:
        for name, count in this.remembered.items():
            click.echo(f"{name}: {count} remembered; you get a notice of what is new from now on", err=True)
        progress.last(not found.failed(), f"{len(watches.watches)} watched, {number} new: {counts(found)}")
    return bool(found.failed())


def _tell(state: State, found: Findings, form: str) -> int:
    """Print what is left for the terminal, and the findings; how many items that were."""
    from labhandbook.watch.watch_notices import TERMINAL, as_text, hand_over

    def show(given: list[dict[str, Any]]) -> None:
        if form == "json":
            click.echo(visible(json.dumps({"new": given, "findings": [each.as_json() for each in found]}, indent=2,
                                          ensure_ascii=False)))
        else:
            for each in given:
                click.echo(as_text(each))
            show_report(found, form, None, "Watch")
        sys.stdout.flush()

    left = [notice for notice in state.notices if TERMINAL in notice["left"]]
    hand_over(state, left, TERMINAL, show)
    return sum(len(notice["items"]) for notice in left)
