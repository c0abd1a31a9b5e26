"""The state of a release on disk: `.git/handbook/release/NAME-VERSION/` with the files, the ledgers and the log.

`ledger.json` says what was built, tested and rehearsed, `pypi.json` and its like what an index got. One run at a time
works on it. Without git the folder is in the user's own state, and in a job that fetched it in `.handbook`.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.steps import Ledger
from labhandbook.package import distribution
from labhandbook.package.distribution import Distribution
from labhandbook.package.project import Project
from labhandbook.package.simple_index import sha256
from labhandbook.package.wheel_tags import preferred
from labhandbook.release.file_origin import FOLDER, check_files, check_untracked

REHEARSAL = "rehearsal"


class State:
    """The folder of one version of one project."""

    def __init__(self, project: Project, version: str) -> None:
        self.project = project
        self.version = version
        self.folder = project.state / f"{project.normalised}-{version}"
        self.dist = self.folder / "dist"

    def prepare(self) -> None:
        """Make the folder. Raises HandbookError when git tracks it."""
        check_untracked(self.project)
        self.folder.mkdir(parents=True, exist_ok=True)
        hide(self.project)

    def ledger(self, target: str = REHEARSAL) -> Ledger:
        """The ledger of the work here and its rehearsal, or of one index."""
        name = "ledger" if target == REHEARSAL else re.sub(r"[^\w.-]", "_", target)
        return Ledger(self.folder / f"{name}.json")

    def targets(self) -> list[str]:
        """The indexes that have a ledger."""
        return sorted(path.stem for path in self.folder.glob("*.json") if path.stem != "ledger")

    def hashes(self) -> dict[str, str]:
        """The files of the release and their sha256, as the ledger has them; none before the build."""
        files = self.ledger().fact("build", "files") or {}
        return {name: entry["sha256"] for name, entry in files.items()}

    def whole(self) -> bool:
        """Whether the files of the ledger are in `dist`, byte for byte."""
        hashes = self.hashes()
        return bool(hashes) and all(digest_of(self.dist / name) == digest for name, digest in hashes.items())

    def files(self) -> list[Path]:
        """The files of the release, the sdist first.

        Raises HandbookError when nothing was built, it was built from another commit, or a file has changed since.
        """
        hashes = self.hashes()
        if not hashes:
            raise HandbookError(f"{self.project.name} {self.version} isn't built", where=str(self.folder),
                                why="only files that were built, inspected and tested are published",
                                todo="run handbook release rehearse, or bring its .handbook folder here",
                                section="sec-pypi-build")
        self.check_origin()
        paths = [self.dist / name for name in sorted(hashes, key=lambda name: (name.endswith(".whl"), name))]
        check_bytes(paths, hashes)
        return paths

    def distributions(self) -> list[Distribution]:
        """The files of the release, read. Raises HandbookError as `files`, and when one is damaged."""
        return [_read(path, digest_of(path)) for path in self.files()]

    def wheel(self) -> Distribution | None:
        """The wheel that pip would choose here, read; None before it is built, or when its bytes have changed."""
        every = [name for name in self.hashes() if name.endswith(".whl")] if self.whole() else []
        names = preferred(every, sys.version_info[:2]) or every
        return _read(self.dist / names[0], digest_of(self.dist / names[0])) if names else None

    def check_origin(self) -> None:
        """Raises HandbookError unless the files are from the commit that is checked out."""
        check_files(self.project, self.version, self.ledger(), self.fingerprint)

    def log(self, word: str) -> None:
        """Add a line to the log of this release."""
        with (self.folder / "log.txt").open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {os.getpid()} {word}\n")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other run out. Raises HandbookError when another run has the lock."""
        self.prepare()
        with (self.folder / "lock").open("a", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise HandbookError(f"another run works on {self.project.name} {self.version}",
                                    where=str(self.folder), why="two at a time could build or upload twice",
                                    todo="wait for it to end", section="sec-pypi-build") from None
            yield

    def fingerprint(self) -> str:
        """A hash of what a build sees: the commit and its tags, or without git every file."""
        state = self.project.git
        if state and state.commit:
            return key_of([state.commit, *sorted(state.tags), os.path.relpath(self.project.root, state.root)])
        return key_of(contents(self.project.root))


def digest_of(path: Path) -> str:
    """The sha256 of a file, computed once for each version of it; empty where there is none."""
    if not path.is_file():
        return ""
    seen = path.stat()
    return _digest(path, seen.st_ino, seen.st_mtime_ns, seen.st_size)


@functools.lru_cache(maxsize=64)
def _digest(path: Path, *version: int) -> str:
    return sha256(path.read_bytes())


@functools.lru_cache(maxsize=16)
def _read(path: Path, digest: str) -> Distribution:
    return distribution.read(path)


def check_bytes(files: Iterable[Path], hashes: Mapping[str, str]) -> None:
    """Raises HandbookError when a file isn't the one that was built and tested."""
    for path in files:
        if path.name not in hashes:
            raise HandbookError(f"{path.name} isn't in the ledger", why="only what was built and tested is uploaded",
                                todo="run handbook release rehearse", section="sec-pypi-build")
        if digest_of(path) != hashes[path.name]:
            raise HandbookError(f"{path.name} isn't the file that was built and tested", where=str(path),
                                why="its sha256 differs from the ledger's" if path.exists() else "it is gone",
                                todo="remove the version's folder and run handbook release rehearse",
                                section="sec-pypi-build")


def hide(project: Project) -> None:
    """Make the folder for releases; if it is `.handbook`, with the file that hides it from git."""
    hidden = project.root / FOLDER / ".gitignore"
    project.state.mkdir(parents=True, exist_ok=True)
    if project.state.is_relative_to(hidden.parent) and not hidden.exists():
        write_atomic(hidden, "*\n")


def contents(root: Path, *tops: str) -> list[str]:
    """The sources in a folder, or those of its entries named `tops`: each path there with its sha256."""
    found = [path for top in tops or (".",) for path in [root / top, *(root / top).rglob("*")] if path.is_file()]
    return [f"{path.relative_to(root)} {sha256(path.read_bytes())}" for path in sorted({*found})
            if not _left(path, root)]


def key_of(data: object) -> str:
    """A short hash of plain data, by which the ledger recognises inputs."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def _left(path: Path, root: Path) -> bool:
    """Whether a file is not a source but was left there by a tool."""
    return any(part.startswith(".") or part in ("__pycache__", "build", "dist", "venv") or part.endswith(".egg-info")
               for part in path.relative_to(root).parts[:-1])
