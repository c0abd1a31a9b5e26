"""A research run's directory: parameters, metrics, checkpoints, stop on signal. Standard library only.

What lies in it can be read without this module:

    params.json              what the run was started with
    metrics.jsonl            one JSON object a line, each with its step
    checkpoints/0000012000/  the state after step 12000, as the program wrote it; a file `best` in it marks the best
    result.json              what came out; it is there if and only if the run has ended well

A run that was killed goes on from its last checkpoint. The lines that were logged beyond it are dropped, so that
nothing stands there twice.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import math
import os
import shutil
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from labhandbook.errors import HandbookError
from labhandbook.files import write_atomic

SECTION = "sec-runs-directory"
PARAMS, METRICS, RESULT, LOCK = "params.json", "metrics.jsonl", "result.json", ".lock"
CHECKPOINTS, BEST = "checkpoints", "best"
KEPT = 2
# How the folder of a checkpoint is called while it is filled, and while a second one for the same step replaces it.
FRESH, ASIDE = ".new-", ".old-"
# Slurm and people end a run by the first two; the job scripts of the HPC chapter are told of the time limit by the
# third, and pass it on as the first.
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}


@dataclass(frozen=True)
class Checkpoint:
    """A saved state: the step after which it was saved, and the folder that holds it."""

    step: int
    folder: Path


class Run:
    """One run in its directory, open for this process alone. Use it as a context manager.

    While it is open in the main thread, SIGTERM, SIGINT and SIGUSR1 only set `stopping`; a second SIGINT interrupts
    as ever.
    """

    def __init__(self, folder: Path, params: Mapping[str, Any]) -> None:
        """Use `Run.open`."""
        self.folder = folder
        self._signal = 0
        self._before: dict[int, Any] = {}
        self._lock = _lock(folder)
        try:
            self.params = _agree(folder, params)
            self._clear_away()
            if not self.finished:
                self._drop_lines_beyond(self.latest())
            self._metrics = (folder / METRICS).open("a", encoding="utf-8")
        except BaseException:
            os.close(self._lock)
            raise
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._stop) for number in STOPS}

    @classmethod
    def open(cls, folder: Path, params: Mapping[str, Any]) -> Run:
        """Open the run in `folder`: begin it, or go on with it.

        `params` is everything that decides the result, as JSON values; leave out what may differ between two starts
        of one run. Raises HandbookError when the directory holds a run with other parameters, when another process
        has it open, and when its files can't be read.
        """
        return cls(folder, params)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the directory free and the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        self._metrics.close()
        with contextlib.suppress(OSError):
            os.close(self._lock)

    # Metrics

    def log(self, step: int, **values: Any) -> None:
        """Write down numbers of a step: one line, out of this process at once.

        NumPy and torch scalars are taken as the numbers they are. JSON knows no NaN and no infinity: they become
        null.
        """
        plain = {name: _plain(value) for name, value in values.items()}
        self._metrics.write(json.dumps({"step": int(step), **plain}, allow_nan=False) + "\n")
        self._metrics.flush()

    def metrics(self) -> list[dict[str, Any]]:
        """Every line that was logged, oldest first."""
        return read_metrics(self.folder)

    def _drop_lines_beyond(self, last: Checkpoint | None) -> None:
        path = self.folder / METRICS
        if path.exists():
            lines = read_metrics(self.folder)
            kept = [line for line in lines if last and line["step"] <= last.step]
            text = "".join(json.dumps(line) + "\n" for line in kept)
            if text != path.read_text(encoding="utf-8", errors="replace"):
                write_atomic(path, text, sync=True)

    # Checkpoints

    def save(self, step: int, writer: Callable[[Path], object], *, best: bool = False) -> Checkpoint:
        """Save the state after `step`: `writer` fills the fresh folder that it is given.

        The checkpoint is on the disk, whole, or not there at all, whenever the process or the machine stops. `best`
        marks it as the one to keep; beside it the last two are kept.
        """
        place = self.folder / CHECKPOINTS
        place.mkdir(exist_ok=True)
        fresh, old, folder = (place / f"{start}{step:010d}" for start in (FRESH, ASIDE, ""))
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        writer(fresh)
        if best:
            (fresh / BEST).touch()
        _sync_tree(fresh)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        os.fsync(self._metrics.fileno())
        _sync(place)
        shutil.rmtree(old, ignore_errors=True)
        self._prune()
        return Checkpoint(step, folder)

    def _prune(self) -> None:
        """Keep the last checkpoints and the best one."""
        saved, best = self._checkpoints(), self.best()
        for checkpoint in saved[:-KEPT]:
            if checkpoint != best:
                shutil.rmtree(checkpoint.folder)

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint; None before the first."""
        saved = self._checkpoints()
        return saved[-1] if saved else None

    def best(self) -> Checkpoint | None:
        """The newest of the checkpoints that were saved as the best; None where none was."""
        marked = [saved for saved in self._checkpoints() if (saved.folder / BEST).exists()]
        return marked[-1] if marked else None

    def _checkpoints(self) -> list[Checkpoint]:
        """Those that are there, oldest first."""
        place = self.folder / CHECKPOINTS
        found = [path for path in place.iterdir() if path.name.isdigit()] if place.is_dir() else []
        return sorted((Checkpoint(int(path.name), path) for path in found), key=lambda saved: saved.step)

    def _clear_away(self) -> None:
        """Remove what a killed save left; a checkpoint that it had only moved aside comes back."""
        for path in self.folder.glob(f"{CHECKPOINTS}/{ASIDE}*"):
            target = path.with_name(path.name.removeprefix(ASIDE))
            if target.exists():
                shutil.rmtree(path)
            else:
                path.rename(target)
        for path in self.folder.glob(f"{CHECKPOINTS}/{FRESH}*"):
            shutil.rmtree(path)

    # The end

    @property
    def stopping(self) -> bool:
        """Whether somebody asked the run to stop: save, and leave."""
        return self._signal != 0

    @property
    def exit_code(self) -> int:
        """What the program should end with: 0, or 128 and the signal's number if it was stopped before its end.

        A job script that leaves a mark after a good end, such as the arrays of the HPC chapter, then leaves none.
        """
        return 128 + self._signal if self.stopping and not self.finished else 0

    @property
    def finished(self) -> bool:
        """Whether the run has ended well."""
        return (self.folder / RESULT).exists()

    @property
    def result(self) -> dict[str, Any] | None:
        """What came out, None before the end."""
        return _read(self.folder / RESULT) if self.finished else None

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write down what came out (JSON values): the run has ended well."""
        write_atomic(self.folder / RESULT, json.dumps(_plain(result), indent=2, allow_nan=False) + "\n",
                     sync=True)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        self._signal = number


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The metrics of the run in `folder`, oldest first; the process that writes them may be at work.

    A last line that a kill tore is passed over. Raises HandbookError when another line is no metric.
    """
    path = folder / METRICS
    if not path.exists():
        return []
    *lines, _ = path.read_bytes().split(b"\n")
    return [_line(line, f"{path}:{number}") for number, line in enumerate(lines, 1)]


def _line(line: bytes, where: str) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(line)
        int(values["step"])
    except (ValueError, TypeError, KeyError):
        raise HandbookError("a line of the metrics can't be read", where=where, section=SECTION,
                            why="each line is a JSON object with its step", todo="remove that line") from None
    return values


def _lock(folder: Path) -> int:
    """Lock a run's directory for as long as the process lives, and say in the file who holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise HandbookError(f"the run's directory can't be made: {error.strerror}", where=str(folder),
                            todo="name a directory that you may write to", section=SECTION) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(handle, 200).decode(errors="replace").strip() or "another process"
        os.close(handle)
        raise HandbookError(f"{holder} works in this run", where=str(folder), section=SECTION,
                            why="two processes would mix their metrics and overwrite each other's checkpoints",
                            todo="wait until it has ended, or give this one a directory of its own") from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            os.close(handle)
            raise
        warnings.warn(f"no locks on the file system of {folder}: see to it that one process works there",
                      stacklevel=4)
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
    return handle


def _agree(folder: Path, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the run, written down if it is new.

    Raises HandbookError when it was begun with others, naming each that differs.
    """
    path = folder / PARAMS
    now: dict[str, Any] = _plain(params)
    if not path.exists():
        write_atomic(path, json.dumps(now, indent=2, allow_nan=False) + "\n", sync=True)
        return now
    before = _read(path)
    differ = [f"{name} was {before.get(name, 'not set')} and is {now.get(name, 'not set')}"
              for name in sorted(before.keys() | now.keys()) if before.get(name, ...) != now.get(name, ...)]
    if differ:
        raise HandbookError(f"this run was begun with other parameters: {'; '.join(differ)}", where=str(path),
                            why="its metrics and checkpoints belong to those", section=SECTION,
                            todo="start with those again, or give this run a directory of its own")
    return before


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        raise HandbookError(f"{path.name} can't be read: {error}", where=str(path), section=SECTION,
                            why="it says what this run is", todo="restore it, or take another directory") from None
    return values


def _plain(value: Any) -> Any:
    """A value as JSON knows it. Raises TypeError for what has no place there."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_tree(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _sync(path)
