"""The boundary of a book: which files are its own, so that nothing outside it is read, shown or replaced."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

OUTSIDE = "it leads out of the book"
# An address such as https://example.org/style.css or data:...
ADDRESS = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|//)")


def own_file(root: Path, name: str) -> Path | None:
    """The regular file `name` (relative to `root`, which is resolved) of the book; None if there is none.

    A symbolic link that leads out of the book leads to none of its files.
    """
    try:
        file = root / name
        return file if not leads_out(root, name) and file.is_file() else None
    except (OSError, ValueError):
        return None


def leads_out(root: Path, name: str) -> bool:
    """Whether a path leads out of the book: by itself, or by a symbolic link on its way."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        return True
    try:
        return not (root / name).resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):  # a circle of links, a name with NUL or one that is too long
        return True


def is_other(root: Path, name: str) -> bool:
    """Whether a path leads out of the book, or to something that is no regular file; False where nothing is."""
    try:
        return leads_out(root, name) or ((root / name).exists() and not (root / name).is_file())
    except (OSError, ValueError):
        return True
