"""Gaussian process regression in plain Python: the equations of the page on Gaussian processes, for its figures.

The kernel is a squared exponential with variance 1, as in the page's program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Matrix = list[list[float]]


def kernel(a: float, b: float, length: float) -> float:
    """How strongly the values at two inputs go together."""
    return math.exp(-0.5 * ((a - b) / length) ** 2)


def cholesky(matrix: Matrix) -> Matrix:
    """The lower triangle whose product with its transpose is `matrix`."""
    lower: Matrix = []
    for row, values in enumerate(matrix):
        new: list[float] = []
        for column in range(row):
            done = math.fsum(new[k] * lower[column][k] for k in range(column))
            new.append((values[column] - done) / lower[column][column])
        new.append(math.sqrt(values[row] - math.fsum(value * value for value in new)))
        lower.append(new)
    return lower


def forward(lower: Matrix, right: Sequence[float]) -> list[float]:
    """The solution of lower x = right."""
    found: list[float] = []
    for row, values in enumerate(lower):
        found.append((right[row] - math.fsum(values[k] * found[k] for k in range(row))) / values[row])
    return found


class Posterior:
    """What is known of the function after the observations `y` at `inputs`: a mean and a covariance anywhere."""

    def __init__(self, inputs: Sequence[float], y: Sequence[float], *, noise: float, length: float = 1.0) -> None:
        self.inputs, self.length = list(inputs), length
        self._lower = cholesky([[kernel(a, b, length) + (noise if i == j else 0.0) for j, b in enumerate(inputs)]
                                for i, a in enumerate(inputs)])
        self._y = forward(self._lower, y)

    def _half(self, x: float) -> list[float]:
        return forward(self._lower, [kernel(x, a, self.length) for a in self.inputs])

    def mean(self, x: float) -> float:
        """The mean at an input."""
        return math.fsum(a * b for a, b in zip(self._half(x), self._y, strict=True))

    def sd(self, x: float) -> float:
        """The standard deviation at an input."""
        return math.sqrt(max(0.0, 1.0 - math.fsum(value * value for value in self._half(x))))

    def covariance(self, grid: Sequence[float]) -> Matrix:
        """The covariances between all inputs of a grid."""
        halves = [self._half(x) for x in grid]
        return [[kernel(a, b, self.length) - math.fsum(p * q for p, q in zip(halves[i], halves[j], strict=True))
                 for j, b in enumerate(grid)] for i, a in enumerate(grid)]


def draws(mean: Sequence[float], covariance: Matrix, normals: Sequence[Sequence[float]]) -> list[list[float]]:
    """Functions drawn from a normal distribution over a grid, one for each list of standard normal numbers."""
    # So little noise can't be seen, and without it rounding would make the matrix singular.
    lower = cholesky([[value + (1e-6 if i == j else 0.0) for j, value in enumerate(row)]
                      for i, row in enumerate(covariance)])
    return [[centre + math.fsum(a * b for a, b in zip(row, normal, strict=False))
             for centre, row in zip(mean, lower, strict=True)] for normal in normals]
