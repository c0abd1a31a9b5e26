"""A random walk as a run that survives: stop it at any moment, start it again, and it continues."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

from labhandbook.runs import Run


# part: train
def train(folder: Path, seed: int, steps: int) -> int:
    """Walk in the run's directory; the exit code."""
    with Run.open(folder, {"seed": seed}, steps=steps) as run:
        walk, step, place = random.Random(seed), 0, 0.0
        if saved := run.latest():
            state = json.loads((saved.folder / "state.json").read_text())
            step, place = state["step"], state["place"]
            walk.setstate((state["version"], tuple(state["words"]), state["next"]))
            print("continues after step", step)

        def write(fresh: Path) -> None:
            version, words, following = walk.getstate()
            state = {"step": step, "place": place, "version": version, "words": words, "next": following}
            (fresh / "state.json").write_text(json.dumps(state))

        while step < steps and not run.stopping:
            step, place = step + 1, place + walk.gauss(0, 1)
            time.sleep(0.01)
            if step % 50 == 0:
                run.log(step, place=place)
                run.save(step, write)
        if not run.finished:
            run.save(step, write)
        if step == steps and not run.finished:
            run.finish({"place": place})
    return run.exit_code
# end: train


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=400)
    given = parser.parse_args()
    sys.exit(train(given.folder, given.seed, given.steps))
