"""The loop: fit a Gaussian process, choose by it, evaluate, and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from labhandbook.runs import HandbookError
from mhi_bo.acquisition import candidates, next_by_improvement, next_by_thompson
from mhi_gp import KERNELS, Conditioned, condition, fit
from mhi_gp.kernels import Array
from mhi_gp.regression import LARGEST

SECTION = "sec-bo"
KERNEL = KERNELS["matern-52"]
WAYS = {"ei": next_by_improvement, "thompson": next_by_thompson}


@dataclass(frozen=True)
class Search:
    """The evaluations of a search in their order, inputs (n, d) within `low` and `high` (d,) and values (n,)."""

    low: Array
    high: Array
    x: Array
    y: Array
    seed: int = 0

    def scaling(self) -> tuple[float, float]:
        """The mean that is subtracted from the values, and the number that divides them then."""
        return float(self.y.mean()), float(self.y.std()) or 1.0

    # part: model
    def model(self) -> Conditioned:
        """The process given all evaluations, with its most probable parameters.

        Inputs are scaled to the unit cube, and values to mean 0 and standard deviation 1.
        """
        x, (centre, size) = (self.x - self.low) / (self.high - self.low), self.scaling()
        y = (self.y - centre) / size
        return condition(fit(KERNEL, x, y, seed=self.seed, starts=2, with_prior=True), KERNEL, x, y)

    def next(self, way: str) -> Array:
        """The input (d,) to evaluate next."""
        rng = np.random.default_rng([self.seed, len(self.y)])
        return self.low + (self.high - self.low) * WAYS[way](self.model(), rng)

    def best(self) -> tuple[Array, float]:
        """The evaluated input (d,) with the lowest mean of the process, and that mean."""
        known, (centre, size) = self.model(), self.scaling()
        means = known.predict(known.x)[0]
        return self.x[means.argmin()], centre + size * float(means.min())
    # end: model

    def add(self, x: Array, value: float) -> Search:
        """The search with one more evaluation. Raises HandbookError for a value that is no number below LARGEST."""
        if not abs(value) < LARGEST:
            raise HandbookError(f"the function gave {value}", section=SECTION,
                                why=f"it was evaluated at {x.tolist()}",
                                todo="return a finite number, and the largest so far if an evaluation fails")
        return replace(self, x=np.vstack([self.x, x]), y=np.append(self.y, value))


def begin(low: Array, high: Array, seed: int = 0) -> Search:
    """A search without evaluations. Raises HandbookError for bounds that enclose nothing."""
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    small = all((np.abs(each) < LARGEST).all() for each in (low, high))
    if low.ndim != 1 or low.shape != high.shape or not small or not np.all(high - low > 1 / LARGEST):
        raise HandbookError("these bounds enclose nothing", section=SECTION,
                            why=f"low {low.tolist()}, high {high.tolist()}",
                            todo="give a finite lower and a larger upper bound for each input")
    return Search(low, high, np.empty((0, len(low))), np.empty(0), seed)


def minimise(function: Callable[[Array], float], low: Array, high: Array, *, budget: int, way: str = "ei",
             seed: int = 0) -> Search:
    """Search for the smallest value of a function of an input (d,), with so many evaluations.

    The first evaluations fill the box evenly: twice as many as there are inputs, and at least 4. Raises HandbookError
    for bounds that enclose nothing, and for a value that is no number below LARGEST.
    """
    return extend(begin(low, high, seed), function, budget=budget, way=way)


def extend(search: Search, function: Callable[[Array], float], *, budget: int, way: str = "ei") -> Search:
    """The search with more evaluations of its function, until it has so many: what `minimise` finds with them."""
    first, done = min(budget, max(4, 2 * len(search.low))), len(search.y)
    even = candidates(len(search.low), 2 ** int(np.ceil(np.log2(first))), np.random.default_rng(search.seed))
    for x in even[done:first]:
        search = _evaluated(search, function, search.low + (search.high - search.low) * x)
    while len(search.y) < budget:
        search = _evaluated(search, function, search.next(way))
    return search


def _evaluated(search: Search, function: Callable[[Array], float], x: Array) -> Search:
    return search.add(x, float(function(x)))
