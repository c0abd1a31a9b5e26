"""Tournament data on disk: CSV once to Parquet, read lazily, and a small synthetic tournament to try things on.

A table has a row for each stock and era: `id`, `era`, the features `feature_*` and the `target`. Values lie in
[0, 1]. Nothing here holds a whole file in memory but `load`, which takes the eras that you ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from labhandbook.runs import HandbookError

SECTION = "sec-eras-run"
CHUNK = 100_000  # rows that are read, predicted and written at a time; a writer remembers every group of rows
LARGEST = 1e6    # no feature and no target is beyond it: a fit on larger numbers overflows
FEATURE, ERA, TARGET, ID = "feature", "era", "target", "id"


@dataclass(frozen=True)
class Table:
    """Rows in memory: `x` is (rows, features) in float32, `y` and `eras` are (rows,)."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    eras: NDArray[np.int64]

    def rows(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Table:
        """Some of its rows."""
        return Table(self.x[chosen], self.y[chosen], self.eras[chosen])


def convert(source: Path, target: Path) -> None:
    """Write a CSV file as Parquet, streaming: memory holds a few row groups, and a little for each that is written.

    Features and target become 32-bit floats. The target file is replaced when the new one is whole. Raises
    HandbookError when the CSV can't be read or has no era or no feature.
    """
    fresh = target.with_name(f".{target.name}.new")
    try:
        names = pl.scan_csv(source).collect_schema().names()
        _expect(names, source)
        numbers = [name for name in names if name.startswith((FEATURE, TARGET))]
        types = dict.fromkeys(numbers, pl.Float32) | {name: pl.String for name in (ERA, ID) if name in names}
        pl.scan_csv(source, schema_overrides=types).sink_parquet(fresh, row_group_size=CHUNK)
        fresh.replace(target)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(source, error) from None
    finally:
        fresh.unlink(missing_ok=True)


def features(source: Path) -> list[str]:
    """The names of the features of a Parquet file. Raises HandbookError when there is no era or no feature."""
    try:
        types = pl.scan_parquet(source).collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(source, error) from None
    _expect(types.names(), source)
    found = [name for name in types.names() if name.startswith(FEATURE)]
    if words := [name for name in found if not types[name].is_numeric()]:
        raise _no_number(words[0], source)
    return found


def load(source: Path, *, every: int = 1) -> Table:
    """The rows of a Parquet file that have a target, of every `every`-th era, sorted by era.

    Neighbouring eras overlap, so every fourth holds almost as much as all of them.
    """
    names = features(source)
    era = pl.col(ERA).str.extract(r"(\d+)").cast(pl.Int64)
    try:
        rows = (pl.scan_parquet(source).with_columns(era.alias(ERA))
                .filter((pl.col(ERA) % every == 0) & pl.col(TARGET).is_not_null() & pl.col(TARGET).is_not_nan())
                .select(ERA, TARGET, *names).sort(ERA, maintain_order=True).collect())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(source, error) from None
    for name in (TARGET, *names):
        column = rows[name].to_numpy()
        if len(column) and not (column.min() >= -LARGEST and column.max() <= LARGEST):
            raise _no_number(name, source)
    return Table(rows.select(names).to_numpy().astype(np.float32), rows[TARGET].to_numpy().astype(np.float32),
                 rows[ERA].to_numpy())


def chunks(source: Path, names: list[str], rows: int = CHUNK) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """The ids and features of a Parquet file, so many rows at a time."""
    lazy = pl.scan_parquet(source).select(ID, *(pl.col(name).cast(pl.Float32) for name in names))
    try:
        total = lazy.select(pl.len()).collect().item()
        for start in range(0, total, rows):
            part = lazy.slice(start, rows).collect()
            yield part[ID].to_list(), part.select(names).to_numpy()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(source, error) from None


def synthetic(folder: Path, *, seed: int = 0, eras: int = 130, rows: int = 300, count: int = 120) -> None:
    """Write `train.csv` and `live.csv` of a made-up tournament into `folder`.

    What a feature is worth changes: part of its weight is for good, more of it drifts from era to era (first-order
    autoregression, 0.9 an era), so neighbouring eras resemble each other more than far ones. Targets take five
    values and are mostly noise, as in the real tournament. Live rows have no target.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)
    lasting = chance.normal(size=count)
    drift = chance.normal(size=count)
    frames = []
    for era in range(1, eras + 2):
        drift = 0.9 * drift + np.sqrt(1 - 0.9**2) * chance.normal(size=count)
        x = chance.integers(0, 5, size=(rows, count)) / 4
        signal = (x - 0.5) @ (0.6 * lasting + 0.8 * drift) / np.sqrt(count)
        y = _ranks(0.4 * signal + chance.normal(size=rows))
        frames.append(pl.DataFrame({ID: [f"n{seed}-{era}-{row}" for row in range(rows)],
                                    ERA: [f"{era:04d}" if era <= eras else "eraX"] * rows,
                                    **{f"{FEATURE}_{number:03d}": x[:, number] for number in range(count)},
                                    TARGET: y if era <= eras else [None] * rows}))
    pl.concat(frames[:-1]).write_csv(folder / "train.csv")
    frames[-1].write_csv(folder / "live.csv")


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Five values from 0 to 1, each for a fifth of the rows."""
    return np.floor(5 * np.argsort(np.argsort(values)) / len(values)) / 4


def _expect(names: list[str], source: Path) -> None:
    if ERA not in names or not any(name.startswith(FEATURE) for name in names):
        raise HandbookError("this is no table of the tournament", where=f"{source}:1", section=SECTION,
                            why="it needs the column era and columns that begin with feature",
                            todo="name the training or live file that mhi-eras download fetched")


def _no_number(name: str, source: Path) -> HandbookError:
    return HandbookError(f"the column {name} has a value that is no number from {-LARGEST:,.0f} to {LARGEST:,.0f}",
                         where=str(source), section=SECTION, why="no model can be fitted to it",
                         todo="fetch the file again with mhi-eras download, or remove that row")


def _unreadable(source: Path, error: Exception) -> HandbookError:
    return HandbookError(f"the table can't be read: {str(error).splitlines()[0]}", where=str(source), section=SECTION,
                         why="it is missing, damaged or of another format",
                         todo="fetch it again with mhi-eras download, or write it with mhi-eras convert")
