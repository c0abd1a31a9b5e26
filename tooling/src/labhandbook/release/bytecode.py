"""What one clean environment compiled, for the next: most of the time of a short suite goes into compiling pytest.

uv links the files of a package from its cache into every environment, so the same file stands in many of them: the
same inode, to the byte and to the second. Its bytecode can then be linked, too. Files that are copies, as pip makes
them, are compiled anew.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

# Not what pytest rewrote, which bears pytest's version in its name.
COMPILED = re.compile(r"(.+)\.(cpython-\d+)\.pyc")


class Bytecode:
    """A store of bytecode in `folder`, by the file that it was compiled from and by the Python that compiled it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[tuple[int, int, int, int], dict[str, Path]] = {}

    def take(self, site: Path) -> None:
        """Remember what was compiled in a site-packages folder."""
        for folder, names in _walk(site):
            if folder.name != "__pycache__":
                continue
            for found in filter(None, map(COMPILED.fullmatch, names)):
                key = _shared(folder.parent / f"{found[1]}.py")
                known = self._known.setdefault(key, {}) if key else {}
                if key and found[2] not in known:
                    kept = self.folder / f"{key[0]}-{key[1]}-{key[2]}.{found[2]}"
                    if _link(folder / found[0], kept):
                        known[found[2]] = kept

    def lend(self, site: Path) -> None:
        """Put what is known of the files in a site-packages folder beside them."""
        if not self._known:
            return
        for folder, names in _walk(site):
            for name in names:
                key = _shared(folder / name) if name.endswith(".py") else None
                for tag, kept in self._known.get(key, {}).items() if key else ():
                    (folder / "__pycache__").mkdir(exist_ok=True)
                    _link(kept, folder / "__pycache__" / f"{name[:-3]}.{tag}.pyc")


def _walk(site: Path) -> Iterator[tuple[Path, list[str]]]:
    return ((Path(folder), names) for folder, _, names in os.walk(site))


def _shared(path: Path) -> tuple[int, int, int, int] | None:
    """What tells a file that stands in several places from all others; None for one that stands here alone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size) if found.st_nlink > 1 else None


def _link(source: Path, target: Path) -> bool:
    with contextlib.suppress(OSError):
        os.link(source, target)
        return True
    return False
