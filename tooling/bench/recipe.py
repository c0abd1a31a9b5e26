"""How long recipes take: `handbook recipe new` against grayskull, and `handbook recipe lint` of 100 recipes.

Run it with `python tooling/bench/recipe.py [NAME]...`. Each package goes both ways in turn, in the same run, from the
sdist that was downloaded before, so the download does not count. The recipe that is linted is the first one made, a
hundred times, and `--offline`, because fetching a hundred sources is the network's time. Beside the clock's time is
the processor's, which other programs on the machine don't change.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from labhandbook.recipe.released_sdist import fetch

HANDBOOK = Path(sys.executable).with_name("handbook")
GRAYSKULL = [sys.executable, "-m", "grayskull", "pypi", "--strict-conda-forge", "--use-v1-format"]
PACKAGES = ["httpx", "structlog", "rich", "pluggy", "platformdirs"]
TIMES = 3
RECIPES = 100


Times = list[tuple[float, float]]


def seconds(words: Sequence[str | Path], folder: Path) -> tuple[float, float]:
    """How long a command takes on the clock and of the processor; its exit code may say that there are findings."""
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(list(map(str, words)), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{words[0]} failed: {done.stderr[-500:]}")
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - start, used


def shown(times: Times) -> str:
    """The medians of both times."""
    clock, used = (statistics.median(column) for column in zip(*times, strict=True))
    return f"{clock:.1f} s ({used:.1f} s)"


def main(names: Sequence[str]) -> None:
    """Print the medians of both programs for each package, then the time of linting."""
    first: Path | None = None
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        print(f"{'package':<16}{'handbook new':>16}{'grayskull':>16}")
        for project in names:
            source = fetch(project, base)
            ours: Times = []
            theirs: Times = []
            for number in range(TIMES):
                folder = base / f"{project}-{number}"
                (folder / "grayskull").mkdir(parents=True)
                ours.append(seconds([HANDBOOK, "recipe", "new", source.sdist.path, "--maintainer", "someone",
                                     "--output", folder], base))
                theirs.append(seconds([*GRAYSKULL, "-o", folder / "grayskull", source.sdist.path], base))
                first = first or next(folder.glob("recipes/*/recipe.yaml"))
            print(f"{project:<16}{shown(ours):>16}{shown(theirs):>16}", flush=True)
        assert first is not None
        for number in range(RECIPES):
            copied = base / "many" / "recipes" / f"package-{number}" / "recipe.yaml"
            copied.parent.mkdir(parents=True)
            copied.write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
        took = [seconds([HANDBOOK, "recipe", "lint", base / "many", "--offline"], base) for _ in range(TIMES)]
        print(f"\nlint of {RECIPES} recipes: {shown(took)}")


if __name__ == "__main__":
    main(sys.argv[1:] or PACKAGES)
