"""What a correction costs: the forest fitted again against the hashed model's gradient steps, in one run.

Run it with the environment of `make test-research`: `.venv-research/bin/python tooling/bench/research_phrases.py`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from skops.io import dumps

from mhi_phrases import Incremental, baseline, shipped
from mhi_phrases.store import dump

REPEATS = 5


def seconds(work: Callable[[], object]) -> float:
    """The median time of a call, in seconds."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Print the table."""
    phrases = shipped()
    texts, labels = [phrase.text for phrase in phrases], [phrase.label for phrase in phrases]
    news, corrected = [f"{text} please" for text in texts[::30]], labels[::30]
    forest = baseline().fit(texts, labels)
    quick = Incremental(sorted(set(labels))).fit(texts, labels)
    again = seconds(lambda: baseline().fit([*texts, *news], [*labels, *corrected]))
    steps = seconds(lambda: quick.correct(news, corrected))
    print(f"{len(news)} corrections to {len(texts)} sentences, median of {REPEATS}")
    print(f"{'forest, fitted again':<28} {1000 * again:8.1f} ms   {len(dumps(forest)) / 1e6:6.2f} MB")
    print(f"{'hashing, gradient steps':<28} {1000 * steps:8.1f} ms   {len(dump(quick, 0)) / 1e6:6.2f} MB")
    print(f"ratio {again / steps:.1f}")


if __name__ == "__main__":
    main()
