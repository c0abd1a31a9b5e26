"""Watching the files that a book is made of, and no others."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from watchfiles import watch

# Milliseconds: how long to wait for the rest of a save, and at most; how often to look without being told.
STEP, DEBOUNCE, LOOK = 5, 25, 500
# Nanoseconds within which two saves may carry the same time.
TICK = 20_000_000

Signature = tuple[int, int, int]
UNKNOWN: Signature = (0, 0, 0)


def signature(path: Path) -> Signature | None:
    """What tells two states of a file apart without reading it; None when it can't be had."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def folders(root: Path, files: Iterable[Path]) -> set[Path]:
    """The folders to watch for `files`: theirs, and those above them up to `root`.

    They are watched one by one, not with what lies below, so that environments, outputs and symbolic links that
    lead in circles cost nothing. A new facts file may lie anywhere under `chapters/`.
    """
    wanted = {root}
    for file in files:
        for folder in file.parents:
            if folder in wanted:
                break
            wanted.add(folder)
            if folder == root or not folder.is_relative_to(root):
                break
    for place, below, _ in os.walk(root / "chapters"):
        below[:] = [name for name in below if not name.startswith(".")]
        wanted.add(Path(place))
    return {folder for folder in wanted if folder.is_dir()}


class Watcher:
    """Tells which files changed. It remembers how they were when they were last read."""

    def __init__(self, root: Path, stop: threading.Event) -> None:
        self.root = root
        self.stop = stop
        self._seen: dict[Path, Signature | None] = {}
        self._fresh: set[Path] = set()

    def remember(self, files: Iterable[Path], since: int = 0) -> None:
        """Take files as they are for known, unless they may have changed at or after `since` (nanoseconds)."""
        for path in files:
            if path not in self._seen:
                found = signature(path)
                known = not since or (found is not None and found[0] < since)
                self._seen[path] = found if known else UNKNOWN

    def changed(self, files: set[Path], named: set[Path]) -> set[Path]:
        """Which of `files` differ from what was remembered; it remembers them.

        A second save within the clock's tick leaves no trace but its name among the `named` ones.
        """
        new = {path: signature(path) for path in files}
        found = {path for path, now in new.items() if path not in self._seen or now != self._seen[path]}
        found |= (self._seen.keys() - new.keys()) | (self._fresh & named & files)
        now = time.time_ns()
        self._fresh = {path for path, known in new.items() if known and now - known[0] < TICK}
        self._seen = new
        return found

    def wake(self, files: Callable[[], Iterable[Path]]) -> Iterator[set[Path]]:
        """Yield the paths that the system names when something happens beside `files`, and now and then none.

        It ends when the folders to watch are other ones, on stop, and when the system can't watch: ask again.
        """
        before = self._numbers(files())
        yield set()
        try:
            for changes in watch(*before, recursive=False, watch_filter=None, debounce=DEBOUNCE, step=STEP,
                                 rust_timeout=LOOK, yield_on_timeout=True, stop_event=self.stop,
                                 raise_interrupt=False, ignore_permission_denied=True):
                yield {Path(name) for _, name in changes}
                if self._numbers(files()) != before:
                    return
        except OSError:
            self.stop.wait(LOOK / 1000)

    def _numbers(self, files: Iterable[Path]) -> dict[Path, int]:
        """The folders with their inodes: one that was removed and made again must be watched again."""
        known = {folder: signature(folder) for folder in folders(self.root, files)}
        return {folder: found[2] for folder, found in known.items() if found}
