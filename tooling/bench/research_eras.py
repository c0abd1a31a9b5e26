"""Scores by era, and a large file: what a user would write with pandas or dask, against this package.

Run it in the environment of `make test-research`, after `.venv-research/bin/pip install 'dask[dataframe]'`:
`.venv-research/bin/python tooling/bench/research_eras.py`. Conversions are processes of their own: their seconds are
those of the processor, and their memory is the most that they held. With `--only-convert` and `--rows 5600000` they
convert 5 GB and nothing else is measured; `TMPDIR` says where the file is written.
"""

from __future__ import annotations

import argparse
import shutil
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
FEATURES = [f"feature_{number:03d}" for number in range(200)]
CONVERSIONS = {
    "mhi-eras": "from pathlib import Path; from mhi_eras import convert; convert(Path(source), Path(target))",
    "pandas": "import pandas as pd; pd.read_csv(source, dtype={'id': str, 'era': str}).to_parquet(target)",
    "pandas in chunks": """import pandas as pd, pyarrow as pa, pyarrow.parquet as pq
out = None
for part in pd.read_csv(source, dtype={'id': str, 'era': str}, chunksize=100_000):
    table = pa.Table.from_pandas(part, preserve_index=False)
    out = out or pq.ParquetWriter(target, table.schema)
    out.write_table(table)
out.close()""",
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
    target = source.with_suffix(".written")
    for name, program in CONVERSIONS.items():
        size = source.stat().st_size
        if name == "pandas" and 5 * size > free_memory():
            print(f"to Parquet, {name:<16} left out: it holds about 4 times the file, and "
                  f"{free_memory() / 1e9:.0f} GB are free")
            continue
        words = f"source, target = {str(source)!r}, {str(target)!r}\n{program}\n{HELD}"
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", words], stdout=subprocess.PIPE, text=True,
                              check=True)
        taken, held = map(float, done.stdout.split())
        print(f"to Parquet, {name:<16} {taken:6.1f} s   {size / taken / 1e6:5.0f} MB/s   "
              f"{held / 1e6:5.2f} GB held for {size / 1e9:.2f} GB", flush=True)
        shutil.rmtree(target) if target.is_dir() else target.unlink()


def free_memory() -> float:
    """Bytes that a program can still have, as the kernel (Linux) says."""
    return 1024 * int(Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0])


def write(source: Path, rows: int) -> None:
    """A CSV file of so many rows, 500 an era, written in parts so that it may be larger than the memory."""
    chance, part = np.random.default_rng(0), 50_000
    with source.open("wb") as file:
        for start in range(0, rows, part):
            here = range(start, min(start + part, rows))
            values = chance.integers(0, 5, (len(here), len(FEATURES))) / 4
            pl.DataFrame({"id": [str(row) for row in here], "era": [f"{row // 500:04d}" for row in here],
                          **dict(zip(FEATURES, values.T, strict=True)), "target": values[:, 0]},
                         ).write_csv(file, include_header=not start)


def reading(folder: Path, rows: int) -> None:
    """One line: every fourth era of a CSV file in chunks by pandas, and of the Parquet file made of it once."""
    source, target = folder / "wide.csv", folder / "wide.parquet"
    write(source, rows)
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
    parser.add_argument("--only-convert", action="store_true", help="measure nothing but CSV to Parquet")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.only_convert:
            write(source := Path(folder) / "wide.csv", options.rows)
            return converting(source)
        scores(200, 5000)
        scores(2000, 100)
        reading(Path(folder), options.rows)


if __name__ == "__main__":
    main()
