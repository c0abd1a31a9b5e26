"""How close the smallest value found is to the true one, against random search; and three traps, in numbers.

One run is one seed. A search that is done is saved, so a stopped run continues after it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from labhandbook.runs import Run
from mhi_bo.functions import TARGETS, Target
from mhi_bo.loop import Search, minimise
from mhi_gp.kernels import Array

BUDGETS = {"forrester": 15, "branin": 30, "hartmann6": 60, "rates": 20}
BEST_EXPONENTS = np.array([-3.0, -4.5])
NOISE = 10.0  # the standard deviation of the noise that the first trap adds to Branin's function
EDGE = 1e-3  # an input within this share of the box's width counts as on the boundary
Outcome = dict[str, float]


def regret(target: Target, search: Search) -> float:
    """How far the best value of the evaluated inputs is from the smallest there is."""
    return min(target.value(x) for x in search.x) - target.minimum


def random_search(target: Target, budget: int, seed: int) -> float:
    """The regret of inputs that are drawn evenly."""
    rng = np.random.default_rng([seed, budget])
    drawn = target.low + (target.high - target.low) * rng.random((budget, len(target.low)))
    return min(target.value(x) for x in drawn) - target.minimum


def compare(name: str, way: str, seed: int) -> Outcome:
    """The regret of one way to search, and the share of its own choices that are on the boundary."""
    target, budget = TARGETS[name], BUDGETS[name]
    if way == "random":
        return {"regret": random_search(target, budget, seed)}
    search = minimise(target.value, target.low, target.high, budget=budget, way=way, seed=seed)
    inside = (search.x - target.low) / (target.high - target.low)
    chosen = inside[max(4, 2 * len(target.low)):]
    return {"regret": regret(target, search), "edge": float(np.mean(_at_edge(chosen)))}


def _at_edge(x: Array) -> Array:
    return np.asarray(np.any((x < EDGE) | (x > 1 - EDGE), axis=1), np.float64)


# part: noise
def noisy(seed: int) -> Outcome:
    """The smallest observation and the lowest mean of the process, each with the true value at its input."""
    target, rng = TARGETS["branin"], np.random.default_rng([seed, 1])
    search = minimise(lambda x: target.value(x) + NOISE * rng.standard_normal(), target.low, target.high,
                      budget=BUDGETS["branin"], seed=seed)
    x, believed = search.best()
    lucky = int(search.y.argmin())
    return {"observed": float(search.y[lucky]), "observed-true": target.value(search.x[lucky]),
            "believed": believed, "believed-true": target.value(x)}
# end: noise


# part: scale
def scale(seed: int) -> Outcome:
    """The distance to the best two rates, in powers of ten: rates searched directly, and by their logarithms."""
    def loss(exponents: Array) -> float:
        return float(np.linalg.norm(exponents - BEST_EXPONENTS))

    budget, low = BUDGETS["rates"], np.full(2, -6.0)
    plain = minimise(lambda x: loss(np.log10(x)), 10**low, np.ones(2), budget=budget, seed=seed)
    logged = minimise(loss, low, np.zeros(2), budget=budget, seed=seed)
    return {"plain": float(plain.y.min()), "logged": float(logged.y.min())}
# end: scale


def plan(seed: int) -> dict[str, Callable[[], Outcome]]:
    """Every part of the study of one seed, by name."""
    parts: dict[str, Callable[[], Outcome]] = {}
    for name in TARGETS:
        for way in ("random", "ei", "thompson"):
            parts[f"{name}-{way}"] = lambda name=name, way=way: compare(name, way, seed)  # type: ignore[misc]
    return {**parts, "noise": lambda: noisy(seed), "scale": lambda: scale(seed)}


def study(folder: Path, *, seed: int = 0) -> Run:
    """Run or go on with the study of one seed in `folder`; its result has the outcome of each part."""
    with Run.open(folder, {"seed": seed, "budgets": BUDGETS}) as run:
        saved = run.latest()
        outcomes: dict[str, Outcome] = json.loads((saved.folder / "outcomes.json").read_text()) if saved else {}
        for step, (name, part) in enumerate(plan(seed).items(), 1):
            if run.finished or run.stopping:
                return run
            if name in outcomes:
                continue
            outcomes[name] = part()
            run.log(step, part=name, **outcomes[name])
            run.save(step, lambda place: (place / "outcomes.json").write_text(json.dumps(outcomes)))
        run.finish(outcomes)
        return run
