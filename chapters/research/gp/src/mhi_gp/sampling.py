"""Samples of the parameters from their posterior, by slice sampling, one parameter at a time.

Neal, Slice Sampling, Annals of Statistics 31(3), 2003, figures 3 (stepping out) and 5 (shrinkage). It has no step
size to tune, and GPyReg samples this way too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError

from mhi_gp.kernels import Array, Kernel
from mhi_gp.prior import log_prior
from mhi_gp.regression import fit, log_evidence

WIDTH = 1.0  # of the first interval; any width gives the right distribution
STEPS = 50  # at most so many widths are stepped out


def sample_parameters(kernel: Kernel, x: Array, y: Array, *, count: int, seed: int = 0, burn: int = 30,
                      thin: int = 2) -> Array:
    """Parameter vectors (count, d + 3) from the posterior of the observations y (n,) at x (n, d)."""
    rng = np.random.default_rng(seed)

    def log_density(theta: Array) -> float:
        try:
            return log_evidence(theta, kernel, x, y) + log_prior(theta)[0]
        except LinAlgError:
            return -np.inf

    theta = fit(kernel, x, y, seed=seed, starts=2, with_prior=True)
    kept = []
    for sweep in range(burn + thin * count):
        theta = slice_sweep(log_density, theta, rng)
        if sweep >= burn and (sweep - burn) % thin == 0:
            kept.append(theta)
    return np.array(kept)


# part: slice
def slice_sweep(log_density: Callable[[Array], float], theta: Array, rng: np.random.Generator) -> Array:
    """Move each number of the vector (k,) once, by a step that keeps the distribution of the vector."""
    for place in range(len(theta)):
        level = log_density(theta) - rng.exponential()

        def inside(value: float, place: int = place, level: float = level, theta: Array = theta) -> bool:
            moved = theta.copy()
            moved[place] = value
            return log_density(moved) > level

        low = theta[place] - WIDTH * rng.random()
        high, left = low + WIDTH, int(STEPS * rng.random())
        right = STEPS - 1 - left
        while left and inside(low):
            low, left = low - WIDTH, left - 1
        while right and inside(high):
            high, right = high + WIDTH, right - 1
        while not inside(value := rng.uniform(low, high)):
            low, high = (value, high) if value < theta[place] else (low, value)
        theta = theta.copy()
        theta[place] = value
    return theta
# end: slice
