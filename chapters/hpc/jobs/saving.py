"""A program that saves when it is asked to stop, and continues from there: python3 -m saving --steps 1000."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=1000)
options = parser.parse_args()

stopping = False


def stop(number, frame):
    """Only remember the signal: the loop saves when it is between two steps."""
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)

place = Path(os.environ.get("RUN_DIR", "."))
checkpoint = place / "state.json"


def save(state):
    """Write to a new file and rename it: a kill in the middle leaves the old one whole."""
    new = checkpoint.with_suffix(".new")
    new.write_text(json.dumps(state))  # with torch: torch.save(state, new)
    new.replace(checkpoint)


state = {"step": 0, "sum": 0.0}
if checkpoint.exists():
    state = json.loads(checkpoint.read_text())
print("starts at step", state["step"], flush=True)

while state["step"] < options.steps:
    if stopping:
        save(state)
        print("saved at step", state["step"], flush=True)
        sys.exit(143)  # as a program ends that SIGTERM stops: the run is not done
    state["sum"] += sum(range(100_000)) / 1e9  # the work of one step
    state["step"] += 1
    if state["step"] % 100 == 0:
        save(state)

print("done at step", state["step"], "sum", round(state["sum"], 6), flush=True)
