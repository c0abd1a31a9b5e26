"""Scores by era, and a large file: what a user would write with pandas or dask, against this package.

Run it in the environment of `make test-research`, after `.venv-research/bin/pip install 'dask[dataframe]'`:
`.venv-research/bin/python tooling/bench/research_eras.py`. Conversions are processes of their own: their seconds are
those of the processor, and their memory is the most that they held.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from mhi_eras import by_era, convert, load

REPEATS = 5
CONVERSIONS = {
    "mhi-eras": "from pathlib import Path; from mhi_eras import convert; convert(Path(source), Path(target))",
    "pandas": "import pandas as pd; pd.read_csv(source, dtype={'id': str, 'era': str}).to_parquet(target)",
    "dask": "import dask.dataframe as dd; dd.read_csv(source, dtype={'id': str, 'era': str}).to_parquet(target)"}
HELD = """import re, time
print(time.process_time(), re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])"""


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


def converting(source: Path) -> None:
    """One line each: a CSV file written as Parquet. The kernel (Linux) says how much a program held at most."""
    for name, program in CONVERSIONS.items():
        words = f"source, target = {str(source)!r}, {str(source.with_suffix('.' + name))!r}\n{program}\n{HELD}"
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", words], stdout=subprocess.PIPE, text=True,
                              check=True)
        taken, held = map(float, done.stdout.split())
        size = source.stat().st_size
        print(f"to Parquet, {name:<9} {taken:6.1f} s   {size / taken / 1e6:5.0f} MB/s   "
              f"{held / 1e6:5.2f} GB held for {size / 1e9:.2f} GB")


def reading(folder: Path, rows: int) -> None:
    """One line: every fourth era of a CSV file in chunks by pandas, and of the Parquet file made of it once."""
    source, target = folder / "wide.csv", folder / "wide.parquet"
    names = [f"feature_{number:03d}" for number in range(200)]
    values = np.random.default_rng(0).integers(0, 5, (rows, len(names))) / 4
    pl.DataFrame({"id": [str(row) for row in range(rows)], "era": [f"{row // 500:04d}" for row in range(rows)],
                  **{name: values[:, at] for at, name in enumerate(names)}, "target": values[:, 0]}).write_csv(source)
    converting(source)
    convert(source, target)

    def usual() -> pd.DataFrame:
        parts = pd.read_csv(source, chunksize=10_000, dtype={"era": str})
        return pd.concat(part[part["era"].astype(int) % 4 == 0] for part in parts)

    slow, fast = seconds(usual), seconds(lambda: load(target, every=4))
    print(f"a fourth of {source.stat().st_size / 1e6:.0f} MB: pandas chunks {slow:6.2f} s   Parquet {fast:6.3f} s   "
          f"{slow / fast:5.1f} x")


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
