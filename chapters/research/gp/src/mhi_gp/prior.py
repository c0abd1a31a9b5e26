"""What is believed of the parameters before any data: independent normal distributions of the parameter vector.

It is for inputs within [0, 1] and values of about 1: scale yours to that first.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from mhi_gp.kernels import Array

# Means and standard deviations: of the logarithms of a length scale, the scale and the noise, and of the mean.
LENGTH, SCALE, NOISE, MEAN = (np.log(0.5), 1.0), (0.0, 1.5), (np.log(0.1), 1.0), (0.0, 1.0)


@cache
def _moments(inputs: int) -> tuple[Array, Array]:
    centre, spread = np.array([*[LENGTH] * inputs, SCALE, NOISE, MEAN]).T
    return centre, spread


def prior_draw(inputs: int, rng: np.random.Generator) -> Array:
    """A parameter vector (inputs + 3,) from the prior."""
    centre, spread = _moments(inputs)
    return centre + spread * rng.standard_normal(len(centre))


def log_prior(theta: Array) -> tuple[float, Array]:
    """The log density at a parameter vector (d + 3,), and its gradient."""
    centre, spread = _moments(len(theta) - 3)
    z = (theta - centre) / spread
    return float(-0.5 * z @ z - np.log(spread).sum() - 0.5 * len(z) * np.log(2 * np.pi)), -z / spread
