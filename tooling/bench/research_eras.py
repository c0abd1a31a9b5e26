"""Scores by era and reading part of a large file: what a user would write with pandas, against this package.

Run it with the environment of `make test-research`: `.venv-research/bin/python tooling/bench/research_eras.py`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from mhi_eras import by_era, convert, load

REPEATS = 5


def seconds(work: Callable[[], object]) -> float:
    """The median time of a call, in seconds."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def scores(eras: int, rows: int) -> None:
    """One line: Spearman by era with `groupby.apply` and with `by_era`."""
    chance = np.random.default_rng(0)
    table = pd.DataFrame({"era": np.repeat(np.arange(eras), rows), "p": chance.normal(size=eras * rows),
                          "t": chance.integers(0, 5, eras * rows) / 4})
    usual = seconds(lambda: table.groupby("era")[["p", "t"]].apply(lambda era: era["p"].corr(era["t"], "spearman")))
    ours = seconds(lambda: by_era(table["p"], table["t"], table["era"]))
    print(f"spearman, {eras} eras of {rows:<5} groupby.apply {usual:6.2f} s   by_era {ours:6.3f} s   "
          f"{usual / ours:5.1f} x")


def reading(folder: Path, rows: int) -> None:
    """One line: every fourth era of a CSV file in chunks by pandas, and of the Parquet file made of it once."""
    source, target = folder / "wide.csv", folder / "wide.parquet"
    names = [f"feature_{number:03d}" for number in range(200)]
    values = np.random.default_rng(0).integers(0, 5, (rows, len(names))) / 4
    pl.DataFrame({"id": [str(row) for row in range(rows)], "era": [f"{row // 500:04d}" for row in range(rows)],
                  **{name: values[:, at] for at, name in enumerate(names)}, "target": values[:, 0]}).write_csv(source)
    start = time.perf_counter()
    convert(source, target)
    once = time.perf_counter() - start

    def usual() -> pd.DataFrame:
        parts = pd.read_csv(source, chunksize=10_000, dtype={"era": str})
        return pd.concat(part[part["era"].astype(int) % 4 == 0] for part in parts)

    slow, fast = seconds(usual), seconds(lambda: load(target, every=4))
    print(f"a fourth of {source.stat().st_size / 1e6:.0f} MB: pandas chunks {slow:6.2f} s   Parquet {fast:6.3f} s   "
          f"{slow / fast:5.1f} x   (converted once in {once:.2f} s)")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000, help="rows of the file")
    options = parser.parse_args()
    scores(200, 5000)
    scores(2000, 100)
    with tempfile.TemporaryDirectory() as folder:
        reading(Path(folder), options.rows)


if __name__ == "__main__":
    main()
