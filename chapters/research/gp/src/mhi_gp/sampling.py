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
    theta, density = theta.copy(), log_density(theta)
    for place, old in enumerate(theta.tolist()):
        level = density - rng.exponential()

        def density_at(value: float, place: int = place) -> float:
            theta[place] = value
            return log_density(theta)

        low = old - WIDTH * rng.random()
        high, left = low + WIDTH, int(STEPS * rng.random())
        right = STEPS - 1 - left
        while left and density_at(low) > level:
            low, left = low - WIDTH, left - 1
        while right and density_at(high) > level:
            high, right = high + WIDTH, right - 1
        while not (density := density_at(value := rng.uniform(low, high))) > level:
            low, high = (value, high) if value < old else (low, value)
    return theta
# end: slice
