"""Predictions for a file of any size, so many rows at a time."""

from __future__ import annotations

import csv
from pathlib import Path

from labhandbook.runs import HandbookError
from mhi_eras.data import CHUNK, SECTION, chunks, features
from mhi_eras.models import Fitted


def predict(source: Path, model: Fitted, target: Path, *, rows: int = CHUNK) -> int:
    """Write `id,prediction` for every row of a Parquet file; how many there were.

    Predictions are shifted and scaled into (0, 1), as the tournament asks, by a line that keeps their order. Raises
    HandbookError when the file lacks a feature that the model has learnt.
    """
    if missing := sorted(set(model.features) - set(features(source))):
        raise HandbookError(f"the file lacks {missing[0]} and {len(missing) - 1} more features", where=str(source),
                            section=SECTION, why="the model was fitted to another version of the data",
                            todo="download the file of the version that the model was fitted to, or fit it again")
    fresh = target.with_name(f".{target.name}.new")
    count = 0
    try:
        with fresh.open("w", newline="", encoding="utf-8") as stream:
            lines = csv.writer(stream)
            lines.writerow(["id", "prediction"])
            for ids, x in chunks(source, list(model.features), rows):
                values = (model.predict(x) + 1) / 3   # targets lie in [0, 1]; a fit that leaves (-1, 2) is broken
                if not (values.min() > 0 and values.max() < 1):
                    raise HandbookError("a prediction is far outside of the targets' range", where=str(source),
                                        section=SECTION, why="its features have another scale than those of the fit",
                                        todo="compare the file with the training file")
                lines.writerows(zip(ids, (f"{value:.6f}" for value in values), strict=True))
                count += len(ids)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return count
