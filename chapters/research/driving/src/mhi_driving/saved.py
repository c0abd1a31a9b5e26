"""Loading a checkpoint, with one message where it can't be used."""

from __future__ import annotations

from typing import Any

from labhandbook.runs import Checkpoint, HandbookError
from mhi_driving.drive import SECTION


def restore(training: Any, checkpoint: Checkpoint, **how: bool) -> None:
    """Load a checkpoint into a training.

    Raises HandbookError when it holds something else. The run's checksums have found a damaged file before; this is
    for a whole checkpoint of another program, of other settings, or without checksums.
    """
    try:
        training.load(checkpoint, **how)
    except Exception as error:  # torch, zipfile, pickle and NumPy each raise errors of their own
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise HandbookError(f"the checkpoint of step {checkpoint.step} can't be used: {reason[:200]}",
                            where=str(checkpoint.folder), section=SECTION, why="it is not a state of this run",
                            todo="remove that folder; the run then goes on from the checkpoint before it") from None
