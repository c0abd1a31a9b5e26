"""Where to evaluate next: expected improvement, and Thompson sampling."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr
from scipy.stats import qmc

from mhi_gp import Conditioned
from mhi_gp.kernels import Array

CANDIDATES, REFINED, DRAWN = 1024, 3, 512
TINY, STEP = 1e-12, 1e-6


# part: ei
def expected_improvement(mean: Array, sd: Array, best: float) -> Array:
    """The mean gain of a normal value over `best`, where a worse value counts as no gain; all arrays (n,).

    Jones, Schonlau and Welch, Journal of Global Optimization 13 (1998), equation 15.
    """
    sd = np.maximum(sd, TINY)
    z = (best - mean) / sd
    gain: Array = (best - mean) * ndtr(z) + sd * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.maximum(gain, 0.0)
# end: ei


def next_by_improvement(known: Conditioned, rng: np.random.Generator) -> Array:
    """The input (d,) of the unit cube with the largest expected improvement over the smallest mean at the data.

    With noise, the smallest observation is low partly because of the noise.
    """
    best = float(known.predict(known.x)[0].min())

    def loss(x: Array) -> tuple[float, Array]:
        # One prediction, at x and a small step away in each input, gives the value and its slope. The logarithm has
        # a slope where the improvement is almost nothing.
        near = np.vstack([x, x + STEP * np.eye(len(x))])
        here, *moved = -np.log(expected_improvement(*known.predict(near), best) + 1e-300)
        return float(here), (np.array(moved) - here) / STEP

    cube = candidates(known.x.shape[1], CANDIDATES, rng)
    beside = np.clip(known.x[known.predict(known.x)[0].argmin()] + 0.05 * rng.standard_normal(cube[:64].shape), 0, 1)
    tried = np.concatenate([cube, beside])
    order = np.argsort(-expected_improvement(*known.predict(tried), best))
    found = [minimize(loss, tried[place], jac=True, method="L-BFGS-B", bounds=[(0, 1)] * tried.shape[1])
             for place in order[:REFINED]]
    chosen: Array = min(found, key=lambda one: float(one.fun)).x
    return np.clip(chosen, 0, 1)


# part: thompson
def next_by_thompson(known: Conditioned, rng: np.random.Generator) -> Array:
    """The candidate input (d,) at which one function drawn from the posterior is smallest.

    Thompson, Biometrika 25 (1933): the chance to choose an input is the probability that it is the best.
    """
    tried = candidates(known.x.shape[1], DRAWN, rng)
    chosen: Array = tried[known.draw(tried, rng).argmin()]
    return chosen
# end: thompson


def candidates(inputs: int, count: int, rng: np.random.Generator) -> Array:
    """Inputs (count, d) that fill the unit cube evenly: Sobol's points, scrambled; `count` is a power of two."""
    points: Array = qmc.Sobol(inputs, seed=rng).random(count)
    return points
