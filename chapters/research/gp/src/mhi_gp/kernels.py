"""Stationary kernels with one length scale for each input, and their derivatives.

Each is a function of the squared distance r2 between two inputs, in length scales. Equations: Rasmussen and Williams,
Gaussian Processes for Machine Learning (2006), chapter 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Kernel:
    """A kernel of unit variance: its values at r2 (an array of any shape), and their derivatives by r2."""

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


# part: kernels
def _matern(nu: float) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Functions that are once (nu 3/2) or twice (nu 5/2) differentiable."""
    root = np.sqrt(2 * nu)

    def value(r2: Array) -> Array:
        a = root * np.sqrt(r2)
        return np.asarray((1 + a + (a**2 / 3 if nu == 2.5 else 0)) * np.exp(-a), np.float64)

    def slope(r2: Array) -> Array:
        a = root * np.sqrt(r2)
        return np.asarray((-5 / 6 * (1 + a) if nu == 2.5 else -3 / 2) * np.exp(-a), np.float64)

    return value, slope


KERNELS = {kernel.name: kernel for kernel in (
    Kernel("squared-exponential", lambda r2: np.exp(-r2 / 2), lambda r2: -np.exp(-r2 / 2) / 2),
    Kernel("matern-32", *_matern(1.5)),
    Kernel("matern-52", *_matern(2.5)),
)}
# end: kernels


def squared_distances(one: Array, other: Array, lengths: Array) -> Array:
    """Of each pair of rows, in length scales: shapes (n, d) and (m, d) give (n, m)."""
    r2: Array = cdist(one / lengths, other / lengths, "sqeuclidean")
    return r2
