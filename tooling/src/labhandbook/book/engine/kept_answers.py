"""What pandoc answered, kept from one run to the next: only pages that show something that changed are made again.

An answer is kept for each page and operation, under a key of all that was asked: the page's text, the settings, the
filters, pandoc itself. Beside it are the files that were opened for it, by content, and the labels that it used. It
is taken only when all of them are the same now. The file is in the user's own cache, so no book brings answers along;
a damaged one is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.files import user_cache, write_atomic
from labhandbook.core.regular_file import content

FOLDER = "pages-1"  # another number when the form of the files changes
WHOLE = "editions-1"  # the files of whole books, by content
MOST = 12  # books whose answers are kept, and files of whole books
# Seconds that a file must have been as it is: it may have changed after pandoc opened it.
STILL = 0.1


def digest(*parts: object) -> str:
    """The same text for the same values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class KeptAnswers:
    """The answers for the book at `root`; each `form` of its pages has its own."""

    def __init__(self, root: Path, form: str) -> None:
        self._root = root
        self._name = digest(str(root.resolve()), form)
        self._lock = threading.Lock()
        self._changed = False
        self._kept: dict[str, dict[str, Any]] = {}
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            checksum, _, text = self._file.read_bytes().partition(b"\n")
            if hashlib.sha256(text).hexdigest().encode() == checksum:
                self._kept = json.loads(text)

    @property
    def _file(self) -> Path:
        return user_cache() / FOLDER / self._name

    def find(self, name: str, key: str, labels: Mapping[str, Any]) -> tuple[Any, str] | None:
        """The answer called `name` and what stands for it with its files; None unless all is as it was."""
        kept = self._kept.get(name)
        if not kept or kept["key"] != key or any(labels.get(each) != label for each, label in kept["labels"].items()):
            return None
        if any(self._content(each) != content for each, content in kept["files"].items()):
            return None
        return json.loads(kept["answer"]), digest(key, kept["files"])

    def keep(self, name: str, key: str, answer: object, *, since: float = 0, files: Mapping[str, None] = {},
             labels: Mapping[str, Any] = {}) -> str | None:
        """Keep an answer that was asked for at the time `since`; None when a file may have changed meanwhile."""
        contents = {each: self._content(each) for each in sorted(files)}
        if any(self._changed_after(each, since - STILL) for each in files):
            return None
        with self._lock:
            self._kept[name] = {"key": key, "files": contents, "labels": dict(labels), "answer": json.dumps(answer)}
            self._changed = True
        return digest(key, contents)

    def find_file(self, name: str, key: str) -> bytes | None:
        """The whole file called `name`; None unless all that it was made of is as it was."""
        found = self.find(name, key, {})
        with contextlib.suppress(OSError, RuntimeError):
            content = (user_cache() / WHOLE / found[0]).read_bytes() if found else b""
            if found and hashlib.sha256(content).hexdigest() == found[0]:
                return content
        return None

    def keep_file(self, name: str, key: str, content: bytes, *, since: float, files: Mapping[str, None]) -> None:
        """Keep a whole file that was made from the time `since` on."""
        mark = hashlib.sha256(content).hexdigest()
        with contextlib.suppress(OSError, RuntimeError):
            folder = user_cache() / WHOLE
            folder.mkdir(parents=True, exist_ok=True)
            write_atomic(folder / mark, content)
            self.keep(name, key, mark, since=since, files=files)
            _keep_newest(folder)

    def save(self) -> None:
        """Write what is kept, if it is new. Without a place to write nothing is kept."""
        with self._lock, contextlib.suppress(OSError, RuntimeError):
            if not self._changed:
                return
            folder = self._file.parent
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self._kept).encode()
            write_atomic(self._file, hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
            self._changed = False
            _keep_newest(folder)

    def _content(self, name: str) -> str | None:
        return file_digest(self._root / name)

    def _changed_after(self, name: str, moment: float) -> bool:
        try:
            status = (self._root / name).stat()
        except (OSError, ValueError):
            return False
        return max(status.st_mtime, status.st_ctime) > moment


def _keep_newest(folder: Path) -> None:
    for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-MOST]:
        old.unlink(missing_ok=True)


def file_digest(path: Path) -> str | None:
    """What stands for a file's content; None without a file, and another each time for one that can't be read."""
    try:
        return hashlib.sha256(content(path)).hexdigest()
    except HandbookError:
        return f"unread {time.time_ns()}" if os.path.lexists(path) else None
