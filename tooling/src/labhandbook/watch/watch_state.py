"""What is known of each watch, on the disk: one JSON file, written whole, beside the one from the write before.

An item is in `seen` and in a notice from one and the same write on, so that no kill loses it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labhandbook.core import regular_file
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import user_state, write_atomic
from labhandbook.watch.watch_file import Watch
from labhandbook.watch.watch_rules import REPORTS
from labhandbook.watch.watch_sources import digest

MOST = 20_000  # items that are remembered of one watch; the ones that were listed longest ago are forgotten first
LARGEST = 256 << 20  # bytes of the file
FORMAT = 1
WATCH = {"source": str, "seen": dict, "known": dict, "next": int, "robots": int, "since": int}
HOST = {"times": int, "until": int, "why": str}
NOTICE = {"id": str, "watch": str, "found": str, "left": list, "begun": list, "items": list}
ITEM = {"title": str, "link": str}


@dataclass
class State:
    """The state's content. `watches` has an entry for each name, `hosts` says which to leave alone.

    Of an entry, `seen` maps the ids of items to those of their titles, `known` has the headers for a conditional
    request, `next` and `robots` say when to look again, `since` when the trouble began. `notices` are those with ways
    `left` to be delivered by; for the ways in `begun` that was tried. `damaged` says that a copy was read.
    """

    path: Path
    watches: dict[str, Any] = field(default_factory=dict)
    hosts: dict[str, Any] = field(default_factory=dict)
    notices: list[dict[str, Any]] = field(default_factory=list)
    damaged: bool = False

    def entry(self, watch: Watch) -> dict[str, Any]:
        """What is known of a watch. If its source has changed, the entry is a new one."""
        source = digest("\n".join((watch.kind, watch.source, watch.items, watch.within)))
        entry: dict[str, Any] = self.watches.get(watch.name, {})
        if entry.get("source") != source:
            entry = self.watches[watch.name] = {"source": source}
        return entry

    def write(self) -> None:
        """Write the state to the disk. Raises HandbookError when it can't be written."""
        for entry in self.watches.values():
            if len(entry.get("seen", ())) > MOST:
                entry["seen"] = dict(list(entry["seen"].items())[-MOST:])
        data = {"format": FORMAT, "watches": self.watches, "hosts": self.hosts, "notices": self.notices}
        try:
            if self.path.exists() and not self.damaged:
                copy = _copy(self.path)
                copy.unlink(missing_ok=True)
                os.link(self.path, copy)
            # Titles and links of a page behind a login are for this user alone.
            write_atomic(self.path, json.dumps(data, ensure_ascii=False, indent=1) + "\n", sync=True, mode=0o600)
            self.damaged = False
        except OSError as error:
            raise HandbookError(f"the state can't be written: {error.strerror or error}", where=str(self.path),
                                why="without it the same items would be reported again", section=REPORTS,
                                todo="make room, or name another file with --state") from None


def place(file: Path) -> Path:
    """Where the state of a file of watches is kept. Raises HandbookError when the user has no home."""
    try:
        folder = user_state() / "watch"
    except RuntimeError:
        raise HandbookError("this user has no home for the state", todo="name a file with --state",
                            section=REPORTS) from None
    return folder / f"{file.stem}-{hashlib.sha256(os.fsencode(file.resolve())).hexdigest()[:8]}.json"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[State]:
    """The state at a path, for this process alone. Raises HandbookError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                         | os.O_NONBLOCK, 0o600)
    except (OSError, ValueError) as error:
        raise HandbookError(f"the state can't be written: {getattr(error, 'strerror', '') or error}", where=str(path),
                            todo="name another file with --state", section=REPORTS) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HandbookError("another run watches with this state", where=str(path), section=REPORTS,
                                why="two at a time would report the same items twice",
                                todo="wait for it to end, or stop it") from None
        yield read(path)
    finally:
        os.close(handle)


def read(path: Path) -> State:
    """The state at a path, or from the copy beside it where that is damaged. Raises HandbookError when both are."""
    if not path.exists() and not _copy(path).exists():
        return State(path)
    problems: list[str] = []
    for file in (path, _copy(path)):
        try:
            data = json.loads(regular_file.content(file, largest=LARGEST, section=REPORTS))
            state = State(path, dict(data["watches"]), dict(data["hosts"]), list(data["notices"]), bool(problems))
            if data["format"] != FORMAT or not (
                    all(_has(each, WATCH) and all(isinstance(title, str) for title in each.get("seen", {}).values())
                        for each in state.watches.values())
                    and all(_has(each, HOST) for each in state.hosts.values())
                    and all(_has(each, NOTICE) and NOTICE.keys() <= each.keys()
                            and all(_has(item, ITEM) and ITEM.keys() <= item.keys() for item in each["items"])
                            for each in state.notices)):
                raise ValueError("it has another form")
            return state
        except (HandbookError, ValueError, KeyError, TypeError, RecursionError) as error:
            problems.append(str(error))
    raise HandbookError("neither the state nor its copy can be read", where=str(path), why=problems[0],
                        todo="to begin again, move both files away: the next look is quiet",
                        section=REPORTS)


def _has(entry: object, kinds: Mapping[str, type]) -> bool:
    """Whether an entry of the state is a mapping whose values are of these kinds."""
    return isinstance(entry, dict) and all(isinstance(entry.get(name, kind()), kind) for name, kind in kinds.items())


def _copy(path: Path) -> Path:
    return path.with_name(f"{path.name}.before")
