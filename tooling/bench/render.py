"""How long a render takes: our book and generated ones, by engine, cold and as the book grows.

Run it with `python tooling/bench/render.py`. Each engine renders the same book in the same run, and takes the time it
needs. On a machine with other work the processor's time and the ratio count, not the clock; the load is printed.
Quarto's column is there where Quarto is on PATH. How soon an edit is seen, edit.py measures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HANDBOOK = Path(sys.executable).with_name("handbook")
SIZES = (10, 30, 100, 300)

PARAGRAPH = (
    "You submit the job and the scheduler decides when it starts, as @sec-chapter-{number} says. Ask for what the "
    "program needs and no more: a smaller job starts sooner, and hours are left for others [@rasmussen2006gaussian]. "
)
SECTION = """
## Section {section} {{#sec-chapter-{number}-{section}}}

{paragraphs}

```{{.bash filename="laptop"}}
for seed in 1 2 3; do python train.py --seed "$seed"; done
```

| Partition | Time | Nodes |
|---|---|---|
| small | 3 days | 4 |
| standard | 2 days | 512 |

: Partitions {number}.{section} {{#tbl-chapter-{number}-{section}}}

$$ k(x, y) = \\exp(-(x - y)^2 / 2) $$ {{#eq-chapter-{number}-{section}}}
"""


@dataclass
class Run:
    """One render: seconds on the clock and of the processor, and the memory of its largest process, in MiB."""

    seconds: float
    processor: float
    memory: float


def generate(folder: Path, chapters: int) -> Path:
    """Write a book of `chapters` chapters of about 900 words with code, tables, maths, links and citations."""
    shutil.copytree(ROOT / "_extensions", folder / "_extensions", dirs_exist_ok=True)
    shutil.copy(ROOT / "references.bib", folder)
    names = []
    for number in range(1, chapters + 1):
        other = number % chapters + 1
        sections = "".join(SECTION.format(number=number, section=section,
                                          paragraphs="\n\n".join([PARAGRAPH.format(number=other) * 2] * 2))
                           for section in range(1, 5))
        names.append(f"chapter-{number}.qmd")
        (folder / names[-1]).write_text(f"# Chapter {number} {{#sec-chapter-{number}}}\n\nWhat it gives.\n{sections}")
    (folder / "index.qmd").write_text("# Start {.unnumbered}\n\nRead on.\n")
    (folder / "references.qmd").write_text("# References {.unnumbered}\n\n::: {#refs}\n:::\n")
    listed = "".join(f"    - {name}\n" for name in ("index.qmd", *names, "references.qmd"))
    (folder / "_quarto.yml").write_text(
        "project:\n  type: book\nbibliography: references.bib\nlink-citations: true\nfilters: [handbook]\n"
        f"book:\n  title: Bench\n  author: Nobody\n  chapters:\n{listed}"
        "format:\n  html:\n    html-math-method: mathml\n    css: [_extensions/handbook/tokens.css]\n")
    return folder


def measure(book: Path, engine: str, output: Path) -> Run:
    """Render `book` to HTML once with `engine`, into an empty folder."""
    command = [str(HANDBOOK), "render", "--book", str(book), "--engine", engine, "--to", "html",
               "--output", str(output)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # wait4 reports this process and those it waited for: the largest of them, not their sum.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{engine} stopped with exit code {process.returncode}")
    shutil.rmtree(output)
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(title: str, book: Path, engines: list[str], runs: int, chapters: int) -> None:
    """Render a book with every engine in turn, `runs` times, and print a row of the table."""
    with tempfile.TemporaryDirectory() as place:
        taken: dict[str, list[Run]] = {engine: [] for engine in engines}
        for _ in range(runs):
            for engine in engines:
                taken[engine].append(measure(book, engine, Path(place) / "site"))
    median = {engine: statistics.median(run.seconds for run in runs) for engine, runs in taken.items()}
    processor = {engine: statistics.median(run.processor for run in runs) for engine, runs in taken.items()}
    memory = {engine: max(run.memory for run in runs) for engine, runs in taken.items()}
    cells = [f"{median[engine]:8.2f} s {processor[engine]:8.2f} s {1000 * processor[engine] / chapters:7.0f} ms "
             f"{memory[engine]:6.0f} MiB" for engine in taken]
    ratio = f"{processor['quarto'] / processor['pandoc']:6.1f} x" if "quarto" in median else ""
    print(f"{title:<16}", *cells, ratio, f"load {os.getloadavg()[0]:.1f}", sep="  ", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="renders of each book by each engine")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="chapters of the generated books")
    parser.add_argument("--quarto-up-to", type=int, default=30, help="largest generated book that Quarto renders")
    options = parser.parse_args()
    engines = ["pandoc", *(["quarto"] if shutil.which("quarto") else [])]
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    heads = (f"{engine:>10} {'processor':>10} {'a chapter':>10} {'memory':>10}" for engine in engines)
    print(f"{'book':<16}", *heads, "  ratio", sep="  ")
    chapters = len(list((ROOT / "chapters").rglob("*.qmd"))) + 2
    compare("the handbook", ROOT, engines, options.runs, chapters)
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as place:
            used = engines if size <= options.quarto_up_to else ["pandoc"]
            compare(f"{size} chapters", generate(Path(place), size), used, options.runs, size)


if __name__ == "__main__":
    main()
