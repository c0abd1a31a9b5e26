"""One run in its directory: parameters, metrics, checkpoints, result, and stop on signal."""

from __future__ import annotations

import json
import os
import signal
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.runs import values as json_values
from labhandbook.runs.checkpoints import Checkpoint, Checkpoints
from labhandbook.runs.lock import Lock
from labhandbook.runs.tracking import event_file
from labhandbook.runs.values import SECTION, check_place, is_step, plain, regular, reported, whole

PARAMS, METRICS, RESULT = "params.json", "metrics.jsonl", "result.json"
# Slurm and people end a run by the first two. The job scripts of the HPC chapter receive the third before the time
# limit, and pass it on as the first.
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
OPEN: weakref.WeakSet[Run] = weakref.WeakSet()


class Run:
    """One run in its directory, open for this process alone. Use it as a context manager.

    While it is open in the main thread, SIGTERM, SIGINT and SIGUSR1 only set `stopping`; a second SIGINT interrupts
    as usual. A forked child can't write to the run, and SIGTERM ends it.
    """

    def __init__(self, folder: Path, params: Mapping[str, Any], steps: int | None = None,
                 asked: tuple[str, int] | None = None) -> None:
        """Use `Run.open`."""
        self.folder = folder
        self.steps = None if steps is None else whole(steps, "the number of steps")
        self._asked = asked
        self._signal = 0
        self._before: dict[int, Any] = {}
        self._lock = Lock(folder)
        try:
            for name in (PARAMS, METRICS, RESULT):
                check_place(folder / name)
            self.params = _agree(folder, params)
            self._checkpoints = Checkpoints(folder)
            self._events = None
            if self._goes_on():
                self._drop_lines_after(self.latest())
                logged = read_metrics(folder)
                self._events = event_file(folder, logged[-1]["step"] + 1 if logged else 0)
            with reported(f"{METRICS} can't be written", folder / METRICS):
                self._metrics = (folder / METRICS).open("a", encoding="utf-8")
        except BaseException:
            self._lock.close()
            raise
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._stop) for number in STOPS}
        OPEN.add(self)

    @classmethod
    def open(cls, folder: Path, params: Mapping[str, Any], steps: int | None = None,
             asked: tuple[str, int] | None = None) -> Run:
        """Open the run in `folder`: begin it, or continue it.

        `params` is everything that decides the result, as JSON values; leave out what may differ between two starts
        of one run. `steps` is the number of steps after which the run ends. It is no parameter: with a larger number
        a finished run continues from its last checkpoint. Where a person gives another number, from which the steps
        follow, `asked` is their option and its value, such as ("--rounds", 2), for messages. Raises HandbookError
        when the directory holds a run with other parameters, when another process has it open, when its files
        can't be read, and when no checkpoint is whole.
        """
        return cls(folder, params, steps, asked)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the lock, and give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        OPEN.discard(self)
        if self._events:
            self._events.close()
        self._metrics.close()
        self._lock.close()

    def _forked(self) -> None:
        """In a forked child: leave the lock to the parent, and let SIGTERM end the child."""
        self._lock.forget()
        if signal.SIGTERM in self._before:
            signal.signal(signal.SIGTERM, self._before[signal.SIGTERM] or signal.SIG_DFL)
        self._before = {}

    def _check_owner(self) -> None:
        if self._lock.inherited:
            raise HandbookError("a forked child can't write to the run of its parent", where=str(self.folder),
                                why="two processes would mix their metrics and checkpoints", section=SECTION,
                                todo="send the numbers to the parent, which opened the run")

    def _goes_on(self) -> bool:
        """Whether there is more to do. A finished run with a larger number of steps than before begins again there.

        Raises HandbookError when the number of steps is smaller than the last checkpoint's.
        """
        result = self.result
        if self.steps is None:
            return result is None
        last = self.latest()
        if result is None:
            if last and self.steps < last.step:
                wanted, least = "wanted", f"ask for at least {last.step} steps"
                if self._asked:
                    option, value = self._asked
                    wanted = f"of {option} {value}"
                    least = f"give {option} {-(-last.step * value // self.steps)} or more"
                raise HandbookError(f"this run is at step {last.step} already, beyond the {self.steps} steps "
                                    + wanted, where=str(self.folder), section=SECTION, why="a run can't go back",
                                    todo=f"{least}, or use another directory")
            return True
        done = result["steps"] if is_step(result.get("steps")) else last.step if last else 0
        if self.steps <= done:
            return False
        if last is None:
            raise HandbookError("this finished run can't continue: it has no checkpoint", where=str(self.folder),
                                section=SECTION, todo="use another directory and begin again")
        with reported(f"{RESULT} can't be renamed", self.folder / RESULT):
            (self.folder / RESULT).rename(self.folder / f"result-{done}.json")
        return True

    # Metrics

    def log(self, step: int, **values: Any) -> None:
        """Write down numbers of a step: one line, which leaves this process at once.

        NumPy and torch values become numbers and lists. JSON has no NaN and no infinity: they become null.
        """
        self._check_owner()
        line = json.dumps({"step": whole(step), **plain(values)}, allow_nan=False)
        with reported(f"{METRICS} can't be written", self.folder / METRICS):
            self._metrics.write(line + "\n")
            self._metrics.flush()
        if self._events:
            self._events.log(step, plain(values))

    def metrics(self) -> list[dict[str, Any]]:
        """Every line that was logged, oldest first."""
        return read_metrics(self.folder)

    def _drop_lines_after(self, last: Checkpoint | None) -> None:
        path = self.folder / METRICS
        if path.exists():
            lines = read_metrics(self.folder)
            kept = [line for line in lines if last and line["step"] <= last.step]
            text = "".join(json.dumps(line) + "\n" for line in kept)
            if text.encode() != regular(path):
                with reported(f"{METRICS} can't be written", path):
                    write_atomic(path, text, sync=True)

    # Checkpoints

    def save(self, step: int, writer: Callable[[Path], object], *, best: bool = False) -> Checkpoint:
        """Save the state after `step`: `writer` fills the empty folder that it is given.

        The checkpoint is on the disk, whole, or not there at all, whenever the process or the machine stops. `best`
        marks it as the one to keep; the last two are kept as well. Steps must not go down.
        """
        self._check_owner()
        with reported(f"{METRICS} can't be written", self.folder / METRICS):
            os.fsync(self._metrics.fileno())
        if self._events:
            self._events.flush()
        return self._checkpoints.save(whole(step), writer, best=best)

    def latest(self) -> Checkpoint | None:
        """The newest whole checkpoint; None before the first. Raises HandbookError where none is whole."""
        return self._checkpoints.latest()

    def best(self) -> Checkpoint | None:
        """The newest of the checkpoints that were saved as the best; None where none was."""
        return self._checkpoints.best()

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
        """The result; None before the end."""
        return _read(self.folder / RESULT) if self.finished else None

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write down the result (JSON values), with the number of steps if `open` knows it. The run has ended."""
        self._check_owner()
        steps = {} if self.steps is None else {"steps": self.steps}
        with reported(f"{RESULT} can't be written", self.folder / RESULT):
            write_atomic(self.folder / RESULT, json_values.as_json({**steps, **result}), sync=True)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        self._signal = number


def _after_fork() -> None:
    for run in list(OPEN):
        run._forked()
    OPEN.clear()


os.register_at_fork(after_in_child=_after_fork)


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The metrics of the run in `folder`, oldest first; the process that writes them may be at work.

    A last line that a kill cut short is left out. Raises HandbookError when another line is no metric.
    """
    path = folder / METRICS
    if not os.path.lexists(path):
        return []
    *lines, _ = regular(path).split(b"\n")
    return [_line(line, path, number) for number, line in enumerate(lines, 1)]


def _line(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        values = json_values.read_object(path, line)
        if not is_step(values.get("step")):
            raise ValueError("it has no step")
    except ValueError:
        raise HandbookError("a line of the metrics can't be read", where=f"{path}:{number}", section=SECTION,
                            why="each line is a JSON object with its step, a whole number from 0",
                            todo="remove that line") from None
    return values


def _agree(folder: Path, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the run, written down if it is new.

    Raises HandbookError when it was started with others, naming each that differs.
    """
    path = folder / PARAMS
    now: dict[str, Any] = plain(params)
    if not path.exists():
        with reported(f"{PARAMS} can't be written", path):
            write_atomic(path, json_values.as_json(now), sync=True)
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
        return json_values.read_object(path)
    except ValueError as error:
        raise HandbookError(f"{path.name} can't be read: {error}", where=str(path), section=SECTION,
                            why="it says what this run is", todo="restore it, or use another directory") from None
