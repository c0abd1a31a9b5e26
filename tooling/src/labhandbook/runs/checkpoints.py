"""The checkpoints of a run: saved whole or not at all, and checked before anybody continues from them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from labhandbook.core.errors import HandbookError
from labhandbook.runs.values import SECTION, check_place, reported, say

CHECKPOINTS, BEST, SUMS = "checkpoints", "best", "SHA256SUMS"
KEPT = 2
T = TypeVar("T")
# The start of a folder's name while it is filled, while a second one of the same step replaces it, and once it is
# found damaged.
FRESH, ASIDE, DAMAGED = ".new-", ".old-", "damaged-"


@dataclass(frozen=True)
class Checkpoint:
    """A saved state: the step after which it was saved, and the folder that holds it."""

    step: int
    folder: Path

    def restore(self, reader: Callable[[Checkpoint], T]) -> T:
        """What `reader` makes of these files.

        Raises HandbookError when it can't use them. The checksums have found a damaged file before; this is for a
        whole checkpoint of another program or of other settings, and for one without checksums.
        """
        try:
            return reader(self)
        except Exception as error:  # each library that reads files raises errors of its own
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise HandbookError(f"the checkpoint of step {self.step} can't be used: {reason[:200]}",
                                where=str(self.folder), section=SECTION, why="it is not a state of this run",
                                todo="remove that folder: the run then continues from the one before it") from None


class Checkpoints:
    """The checkpoints in one run's directory, for the process that has the run open."""

    def __init__(self, run: Path) -> None:
        """Remove what a killed save left; a checkpoint that it had only moved aside comes back."""
        self.place = run / CHECKPOINTS
        self._whole: set[Path] = set()  # what this process has checked, or saved
        check_place(self.place, folder=True)
        with reported("the checkpoints can't be read", self.place, todo="check the permissions, then start again"):
            for path in self.place.glob(f"{ASIDE}*"):
                target = path.with_name(path.name.removeprefix(ASIDE))
                if os.path.lexists(target):
                    remove(path)
                else:
                    path.rename(target)
            for path in self.place.glob(f"{FRESH}*"):
                remove(path)

    def save(self, step: int, writer: Callable[[Path], object], *, best: bool) -> Checkpoint:
        """Save the state after `step`. Raises HandbookError when a later step is saved already."""
        saved = listed(self.place)
        if saved and step < saved[-1].step:
            raise HandbookError(f"step {step} can't be saved: step {saved[-1].step} is saved already",
                                where=str(self.place), section=SECTION,
                                why="the run would continue from the larger step, not from the one saved last",
                                todo="save steps in growing order, or give this run a directory of its own")
        fresh, old, folder = (self.place / f"{start}{step:010d}" for start in (FRESH, ASIDE, ""))
        with reported(f"the checkpoint of step {step} can't be written", fresh,
                      why="the checkpoints before it are as they were"):
            self.place.mkdir(exist_ok=True)
            remove(fresh)
            fresh.mkdir()
            writer(fresh)
            if best:
                (fresh / BEST).touch()
            (fresh / SUMS).write_text(sums(fresh), encoding="utf-8", errors="surrogateescape")
            sync_tree(fresh)
            remove(old)
            if os.path.lexists(folder):
                folder.rename(old)
            fresh.rename(folder)
            sync(self.place)
            remove(old)
            self._whole.add(folder)
            self._prune()
        return Checkpoint(step, folder)

    def _prune(self) -> None:
        """Keep the last checkpoints and the best one, also the best one as it was before the last checkpoint.

        So where the last checkpoint is found damaged, the one before it still has its best.
        """
        saved, marked = listed(self.place), self._marked()
        before = [each for each in marked if each.step < saved[-1].step]
        for checkpoint in saved[:-KEPT]:
            if checkpoint not in marked[-1:] + before[-1:]:
                remove(checkpoint.folder)

    def latest(self) -> Checkpoint | None:
        """The newest whole checkpoint; None before the first. A damaged one that is newer is moved aside."""
        newest, broken = first_whole(listed(self.place), self._whole)
        for checkpoint, wrong in broken:
            aside = self.place / f"{DAMAGED}{checkpoint.folder.name}"
            with reported("a damaged checkpoint can't be moved aside", checkpoint.folder):
                remove(aside)
                checkpoint.folder.rename(aside)
            assert newest is not None
            say(f"the checkpoint of step {checkpoint.step} is damaged ({wrong}) and is now {aside}; "
                f"this run continues from step {newest.step}")
        return newest

    def best(self) -> Checkpoint | None:
        """The newest whole checkpoint that was saved as the best; None where none was."""
        return best_of(self._marked(), listed(self.place), self._whole)

    def _marked(self) -> list[Checkpoint]:
        return [saved for saved in listed(self.place) if (saved.folder / BEST).exists()]


def read_checkpoint(folder: Path, *, best: bool = False) -> Checkpoint | None:
    """The newest whole checkpoint of the run in `folder`; with `best` the best one, where one is marked.

    Nothing is locked or changed, so the run may be at work. None where there is no checkpoint. Raises HandbookError
    where there are some and none is whole.
    """
    saved = listed(folder / CHECKPOINTS)
    marked = [each for each in saved if (each.folder / BEST).exists()] if best else []
    if marked:
        return best_of(marked, saved, set())
    newest, broken = first_whole(saved, set())
    for checkpoint, wrong in broken:
        assert newest is not None
        say(f"the checkpoint of step {checkpoint.step} is damaged ({wrong}); step {newest.step} is used instead")
    return newest


def listed(place: Path) -> list[Checkpoint]:
    """The checkpoints in a folder, oldest first, whole or not."""
    with reported("the checkpoints can't be read", place, todo="check the permissions, then start again"):
        inside = place.iterdir() if place.is_dir() else ()
        # "²" is a digit for str.isdigit, and no number for int.
        names = [path for path in inside if re.fullmatch("[0-9]{10,16}", path.name) and path.is_dir()]
        found = [Checkpoint(int(path.name), path) for path in names if path.name == f"{int(path.name):010d}"]
    return sorted(found, key=lambda saved: saved.step)


def first_whole(saved: list[Checkpoint], known: set[Path]) -> tuple[Checkpoint | None, list[tuple[Checkpoint, str]]]:
    """The newest whole checkpoint, and the damaged ones that are newer, each with what is wrong.

    Raises HandbookError where there are checkpoints and none is whole.
    """
    broken: list[tuple[Checkpoint, str]] = []
    for checkpoint in reversed(saved):
        wrong = "" if checkpoint.folder in known else damage(checkpoint.folder)
        if not wrong:
            known.add(checkpoint.folder)
            return checkpoint, broken
        broken.append((checkpoint, wrong))
    if not broken:
        return None, []
    raise HandbookError("no checkpoint of this run is whole: "
                        + "; ".join(f"step {checkpoint.step}: {wrong}" for checkpoint, wrong in broken),
                        where=str(broken[0][0].folder.parent), section=SECTION,
                        why="a program that continues from a damaged state gives wrong results",
                        todo="restore one from a backup, or remove that folder to begin the run again")


def best_of(marked: list[Checkpoint], saved: list[Checkpoint], known: set[Path]) -> Checkpoint | None:
    """The newest whole one of the marked checkpoints; where none of them is whole, the newest whole one of all."""
    if not marked:
        return None
    chosen, broken = first_whole([*(each for each in saved if each not in marked), *marked], known)
    for checkpoint, wrong in broken:
        assert chosen is not None
        say(f"the best checkpoint, of step {checkpoint.step}, is damaged ({wrong}); "
            f"step {chosen.step} is used instead")
    return chosen


def sums(folder: Path) -> str:
    """The checksums of the files in a folder, as the program sha256sum writes them."""
    lines = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path != folder / SUMS:
            name = str(path.relative_to(folder))
            escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            lines.append(f"{chr(92) if escaped != name else ''}{digest}  {escaped}\n")
    return "".join(lines)


def damage(folder: Path) -> str:
    """What is wrong with a checkpoint, "" where nothing is. Without checksums only an empty folder counts as damaged.

    Files that are not listed, such as notes, are no damage.
    """
    try:
        if not (folder / SUMS).exists():
            return "" if any(folder.iterdir()) else "its folder is empty"
        expected = (folder / SUMS).read_text(encoding="utf-8", errors="surrogateescape")
        found = set(sums(folder).splitlines())
    except OSError as error:
        return f"{Path(error.filename or folder).name}: {error.strerror}"
    if not expected.endswith("\n"):
        return f"{SUMS} is {'cut short' if expected else 'empty'}"
    wrong = [line.partition("  ")[2] for line in expected.splitlines() if line not in found]
    if not wrong:
        return ""
    missing = not os.path.lexists(folder / wrong[0])
    return f"{wrong[0]} is missing" if missing else f"{wrong[0]} is not the file that was saved"


def remove(path: Path) -> None:
    """Remove a folder, a file or a link, whichever it is, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Wait until a folder with all its files is on the disk. Links, pipes and sockets hold no data of their own."""
    for path in [*folder.rglob("*"), folder]:
        if not path.is_symlink() and (path.is_file() or path.is_dir()):
            sync(path)
