"""Watching the files that a book is made of, and no others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from watchfiles import watch

from labhandbook.book.facts import chapter_folders

# Milliseconds: how often watchfiles asks the system, how long to wait for the rest of a save, and how often to
# compare the known files with what was seen of them, because a change between two watches goes unnoticed.
STEP, DEBOUNCE, LOOK = 10, 25, 1000
# Nanoseconds within which two saves may carry the same time.
TICK = 20_000_000

Signature = tuple[int, int, int]
UNKNOWN: Signature = (0, 0, 0)


def signature(path: Path) -> Signature | None:
    """What distinguishes two states of a file without reading it; None when there is no such file."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def folders(root: Path, files: Iterable[Path]) -> set[Path]:
    """The folders to watch for `files`: theirs, and those above them up to `root`.

    They are watched one by one, not with their subfolders, so that environments, outputs and symbolic links that
    lead in circles cost nothing. A new facts file may be anywhere under `chapters/`.
    """
    wanted = {root}
    for file in files:
        for folder in file.parents:
            if folder in wanted:
                break
            wanted.add(folder)
            if folder == root or not folder.is_relative_to(root):
                break
    wanted |= {folder for folder, _ in chapter_folders(root)}
    return {folder for folder in wanted if folder.is_dir()}


class Watcher:
    """Says which files changed. It remembers how they were when they were last read."""

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
        """Yield the paths that the system names when something happens to `files` or may bring new ones.

        The first time it yields none. It ends when the folders to watch are other ones, on stop, and when the system
        can't watch: ask again.
        """
        known = set(files())
        before = folders(self.root, known)
        marks = {path: _mark(path) for path in before}
        yield set()
        known |= set(files())
        if folders(self.root, known) != before:
            return

        def matters(_: object, name: str) -> bool:
            return _matters(Path(name), known, before)

        try:
            for changes in watch(*before, recursive=False, watch_filter=matters, debounce=DEBOUNCE,
                                 step=STEP, rust_timeout=LOOK, yield_on_timeout=True,
                                 force_polling=False, stop_event=self.stop, raise_interrupt=False,
                                 ignore_permission_denied=True):
                if not changes and not self._unseen(marks):
                    continue
                yield {Path(name) for _, name in changes}
                known |= set(files())
                if folders(self.root, known) != before or any(_mark(path)[0] != marks[path][0] for path in before):
                    return
                marks = {path: _mark(path) for path in before}
        except OSError:
            # The system watches no more files: compare them, without reading any folder.
            while not self.stop.wait(LOOK / 1000):
                if self._unseen(marks):
                    return

    def _unseen(self, marks: dict[Path, tuple[int, int]]) -> bool:
        """Whether a folder or a known file is not as it was seen. It costs one question to the system for each."""
        return (any(_mark(path) != mark for path, mark in marks.items())
                or any(signature(path) != seen for path, seen in self._seen.items()))


def _mark(folder: Path) -> tuple[int, int]:
    """A folder's inode, which is another one when it was made again, and the time when a name came or went."""
    found = signature(folder)
    return (found[2], found[0]) if found else (0, 0)


def _matters(path: Path, known: set[Path], watched: set[Path]) -> bool:
    """Whether what happened to a path can change the book: a known file, a folder, or perhaps new facts."""
    return (path in known or path in watched or path.suffix == ".yml" or path.name in ("results.json", "index.qmd")
            or path.is_dir())
