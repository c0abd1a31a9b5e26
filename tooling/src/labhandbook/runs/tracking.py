"""Curves for TensorBoard beside the JSON lines, of any run: set RUN_TRACK=tensorboard."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labhandbook.core.errors import HandbookError

VARIABLE, FOLDER = "RUN_TRACK", "tensorboard"
SECTION = "sec-runs-curves"


class EventFile:
    """TensorBoard's file of events in a run's directory, from `step` on; later points of earlier files are hidden."""

    def __init__(self, folder: Path, step: int) -> None:
        """Raises HandbookError when TensorBoard isn't installed."""
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            raise HandbookError("TensorBoard isn't installed", why=f"{VARIABLE} asks for its files", section=SECTION,
                                todo=f"python3 -m pip install tensorboard, or unset {VARIABLE}") from None
        self._event, self._summary = event_pb2.Event, summary_pb2.Summary
        self._writer = EventFileWriter(str(folder / FOLDER))
        # TensorBoard drops the points of earlier files from this step on: that part of the run is done again.
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._writer.add_event(self._event(wall_time=time.time(), step=step, session_log=start))

    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Add the numbers of a step; lists, texts and truth values are in the JSON lines alone."""
        points = [self._summary.Value(tag=name, simple_value=value) for name, value in values.items()
                  if isinstance(value, int | float) and not isinstance(value, bool)]
        self._writer.add_event(self._event(wall_time=time.time(), step=step, summary=self._summary(value=points)))

    def flush(self) -> None:
        """Bring to the disk what was added."""
        self._writer.flush()

    def close(self) -> None:
        """End the file."""
        self._writer.close()


def event_file(folder: Path, step: int) -> EventFile | None:
    """The file that RUN_TRACK asks for; None where it asks for none.

    Raises HandbookError for another word than `tensorboard`, and when TensorBoard isn't installed.
    """
    wanted = os.environ.get(VARIABLE, "")
    if not wanted:
        return None
    if wanted != "tensorboard":
        raise HandbookError(f"{VARIABLE} is {wanted}", why="tensorboard is the only kind of curves", section=SECTION,
                            todo=f"set {VARIABLE}=tensorboard, or unset it")
    return EventFile(folder, step)
