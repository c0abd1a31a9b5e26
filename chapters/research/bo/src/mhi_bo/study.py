"""How close the smallest value found is to the true one, against random search; and three traps, in numbers.

One run is one seed, and each round continues every search by its budget. A part that is done is saved with the
evaluations of its searches, so a stopped run continues after it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from labhandbook.runs import Checkpoint, Run
from mhi_bo.functions import TARGETS, Target
from mhi_bo.loop import WAYS, Search, begin, extend
from mhi_gp.kernels import Array
from mhi_gp.regression import LARGEST

BUDGETS = {"forrester": 15, "branin": 30, "hartmann6": 60, "rates": 20}
BEST_EXPONENTS = np.array([-3.0, -4.5])
NOISE = 10.0  # the standard deviation of the noise that the first trap adds to Branin's function
EDGE = 1e-3  # an input within this share of the box's width counts as on the boundary
# The values in the outcome of a part, by its name or the end of its name; every other has the regret and the edge.
VALUES = {"random": {"regret"}, "noise": {"observed", "observed-true", "believed", "believed-true"},
          "scale": {"plain", "logged"}}
Outcome = dict[str, float]
Searches = dict[str, Search]


def regret(target: Target, search: Search) -> float:
    """How far the best value of the evaluated inputs is from the smallest there is."""
    return min(target.value(x) for x in search.x) - target.minimum


def random_search(target: Target, budget: int, seed: int, rounds: int) -> float:
    """The regret of inputs that are drawn evenly, `budget` in each round."""
    rng = np.random.default_rng([seed, budget])
    drawn = target.low + (target.high - target.low) * rng.random((rounds * budget, len(target.low)))
    return min(target.value(x) for x in drawn) - target.minimum


def continued(searches: Searches, name: str, function: Callable[[Array], float], budget: int,
              way: str = "ei") -> Search:
    """A search, continued until it has so many evaluations, and kept in `searches` so."""
    searches[name] = extend(searches[name], function, budget=budget, way=way)
    return searches[name]


def compare(name: str, way: str, seed: int, searches: Searches, rounds: int = 1) -> Outcome:
    """The regret of one way to search, and the share of its own choices that are on the boundary."""
    target, budget = TARGETS[name], BUDGETS[name]
    if way == "random":
        return {"regret": random_search(target, budget, seed, rounds)}
    search = continued(searches, f"{name}-{way}", target.value, rounds * budget, way)
    inside = (search.x - target.low) / (target.high - target.low)
    chosen = inside[max(4, 2 * len(target.low)):]
    return {"regret": regret(target, search), "edge": float(np.mean(_at_edge(chosen)))}


def _at_edge(x: Array) -> Array:
    return np.asarray(np.any((x < EDGE) | (x > 1 - EDGE), axis=1), np.float64)


# part: noise
def noisy(seed: int, searches: Searches, rounds: int = 1) -> Outcome:
    """The smallest observation and the lowest mean of the process, each with the true value at its input."""
    target, rng = TARGETS["branin"], np.random.default_rng([seed, 1])
    rng.standard_normal(len(searches["noise"].y))  # the noise of earlier rounds
    search = continued(searches, "noise", lambda x: target.value(x) + NOISE * rng.standard_normal(),
                       rounds * BUDGETS["branin"])
    x, believed = search.best()
    lucky = int(search.y.argmin())
    return {"observed": float(search.y[lucky]), "observed-true": target.value(search.x[lucky]),
            "believed": believed, "believed-true": target.value(x)}
# end: noise


# part: scale
LOW = np.full(2, -6.0)
RATES = {"plain": (10**LOW, np.ones(2)), "logged": (LOW, np.zeros(2))}  # the bounds of both searches


def scale(seed: int, searches: Searches, rounds: int = 1) -> Outcome:
    """The distance to the best two rates, in powers of ten: rates searched directly, and by their logarithms."""
    def loss(exponents: Array) -> float:
        return float(np.linalg.norm(exponents - BEST_EXPONENTS))

    budget = rounds * BUDGETS["rates"]
    plain = continued(searches, "plain", lambda x: loss(np.log10(x)), budget)
    logged = continued(searches, "logged", loss, budget)
    return {"plain": float(plain.y.min()), "logged": float(logged.y.min())}
# end: scale


def begun(seed: int) -> Searches:
    """Every search of the study of one seed, without evaluations."""
    boxes = {f"{name}-{way}": (target.low, target.high) for name, target in TARGETS.items() for way in WAYS}
    boxes |= {"noise": (TARGETS["branin"].low, TARGETS["branin"].high), **RATES}
    return {name: begin(low, high, seed) for name, (low, high) in boxes.items()}


def plan() -> dict[str, Callable[[int, Searches, int], Outcome]]:
    """Every part of a round, by name: a function of the seed, the searches so far and the number of rounds."""
    compared = {f"{name}-{way}": partial(compare, name, way) for name in TARGETS for way in ("random", *WAYS)}
    return {**compared, "noise": noisy, "scale": scale}


def study(folder: Path, *, seed: int = 0, rounds: int = 1) -> Run:
    """Run or continue the study of one seed in `folder`; its result has the outcome of each part.

    A finished run continues when more rounds are asked for.
    """
    parts = list(plan().items())
    steps = rounds * len(parts)
    with Run.open(folder, {"seed": seed, "budgets": BUDGETS}, steps, ("--rounds", rounds)) as run:
        if run.finished:
            return run
        saved, searches = run.latest(), begun(seed)
        outcomes = saved.restore(partial(_read, searches)) if saved else {}
        for step in range(saved.step if saved else 0, steps):
            if run.stopping:
                return run
            done, number = divmod(step, len(parts))
            name, part = parts[number]
            outcomes[name] = part(seed, searches, done + 1)
            run.log(step + 1, part=name, **outcomes[name])
            run.save(step + 1, partial(_write, outcomes, searches))
        run.finish(outcomes)
        return run


def _write(outcomes: Mapping[str, Outcome], searches: Searches, place: Path) -> None:
    kept = {name: {"x": search.x.tolist(), "y": search.y.tolist()} for name, search in searches.items()
            if len(search.y)}
    (place / "outcomes.json").write_text(json.dumps(outcomes))
    (place / "searches.json").write_text(json.dumps(kept))


def _read(searches: Searches, saved: Checkpoint) -> dict[str, Outcome]:
    """The outcomes that a checkpoint holds; the evaluations go into `searches`.

    A checkpoint of an earlier version has no evaluations. Then a second round makes those of the first again.
    """
    outcomes = json.loads((saved.folder / "outcomes.json").read_text())
    if list(outcomes) != list(plan())[:saved.step]:
        raise ValueError("it does not hold the parts that are done")
    for name, outcome in outcomes.items():
        if set(outcome) != VALUES.get(name.rpartition("-")[2], {"regret", "edge"}) \
                or not all(map(math.isfinite, outcome.values())):
            raise ValueError(f"the outcome of {name} has other values than that part")
    path = saved.folder / "searches.json"
    for name, kept in (json.loads(path.read_text()) if path.exists() else {}).items():
        x, y = np.array(kept["x"], np.float64), np.array(kept["y"], np.float64).ravel()
        if x.shape != (len(y), len(searches[name].low)) or not (np.abs(np.append(x, y)) < LARGEST).all():
            raise ValueError(f"the evaluations of {name} are not rows of numbers")
        searches[name] = replace(searches[name], x=x, y=y)
    return {name: {str(what): float(value) for what, value in outcome.items()} for name, outcome in outcomes.items()}
