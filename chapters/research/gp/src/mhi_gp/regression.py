"""Regression with one Gaussian process: evidence and its gradient, the fit by it, and the posterior.

The parameters are one vector, so that an optimiser and a sampler can take it: the logarithms of the d length scales,
of the process's standard deviation and of the noise's, then the constant mean. See `Parameters`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from labhandbook.runs import HandbookError
from mhi_gp.kernels import Array, Kernel, squared_distances
from mhi_gp.prior import log_prior, prior_draw

SECTION = "sec-gp"
# Rounding makes a matrix of nearly equal inputs indefinite: this much is added to its diagonal, relative to its size.
JITTER = 1e-10
LARGEST = 1e100  # the squares of much larger numbers overflow
FAR = 12.0  # the optimiser looks no further than exp(-12) and exp(12)


@dataclass(frozen=True)
class Parameters:
    """A parameter vector by name: `lengths` (d,), `scale` and `noise` as standard deviations, and `mean`."""

    lengths: Array
    scale: float
    noise: float
    mean: float

    @classmethod
    def of(cls, theta: Array) -> Parameters:
        """The parameters in a vector of d + 3 numbers."""
        scale, noise = np.exp(theta[-3:-1])
        return cls(np.exp(theta[:-3]), float(scale), float(noise), float(theta[-1]))


@dataclass(frozen=True)
class Conditioned:
    """The process given the observations."""

    kernel: Kernel
    parameters: Parameters
    x: Array
    factor: Array
    weights: Array

    # part: predict
    def predict(self, new: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the function at new inputs (m, d), without the noise of an observation."""
        across = self._covariance(new, self.x)
        mean = self.parameters.mean + across @ self.weights
        half = solve_triangular(self.factor, across.T, lower=True)
        left = self.parameters.scale**2 - (half**2).sum(axis=0)
        return mean, np.sqrt(np.maximum(left, 0.0))
    # end: predict

    def draw(self, new: Array, rng: np.random.Generator) -> Array:
        """One function from the posterior, at new inputs (m, d)."""
        across = self._covariance(new, self.x)
        half = solve_triangular(self.factor, across.T, lower=True)
        left = self._covariance(new, new) - half.T @ half
        mean: Array = self.parameters.mean + across @ self.weights
        root: Array = cholesky(left + 1e-8 * self.parameters.scale**2 * np.eye(len(new)), lower=True)
        return mean + root @ rng.standard_normal(len(new))

    def _covariance(self, one: Array, other: Array) -> Array:
        return self.parameters.scale**2 * self.kernel.value(squared_distances(one, other, self.parameters.lengths))


# part: condition
def condition(theta: Array, kernel: Kernel, x: Array, y: Array) -> Conditioned:
    """The process with the parameters theta (d + 3,), given observations y (n,) at x (n, d).

    Raises LinAlgError where the covariance matrix is singular.
    """
    by = Parameters.of(theta)
    signal = by.scale**2 * kernel.value(squared_distances(x, x, by.lengths))
    size = by.noise**2 + JITTER * by.scale**2
    factor: Array = cholesky(signal + size * np.eye(len(x)), lower=True, check_finite=False)
    return Conditioned(kernel, by, x, factor, cho_solve((factor, True), y - by.mean, check_finite=False))
# end: condition


# part: evidence
def log_evidence(theta: Array, kernel: Kernel, x: Array, y: Array) -> float:
    """The log marginal likelihood of y (n,) at x (n, d): Rasmussen and Williams (2006), equation 2.30.

    Raises LinAlgError where the matrix is singular.
    """
    return _evidence(condition(theta, kernel, x, y), y)


def evidence_and_slope(theta: Array, kernel: Kernel, x: Array, y: Array) -> tuple[float, Array]:
    """The log marginal likelihood and its gradient in theta (d + 3,): Rasmussen and Williams, equation 5.9."""
    known = condition(theta, kernel, x, y)
    by, r2 = known.parameters, squared_distances(x, x, known.parameters.lengths)
    inner = np.outer(known.weights, known.weights) - cho_solve((known.factor, True), np.eye(len(y)))
    sloped = -by.scale**2 * inner * kernel.slope(r2)
    by_length = [(sloped * squared_distances(each, each, length)).sum()
                 for each, length in zip(x.T[:, :, None], by.lengths, strict=True)]
    by_scale, by_noise = by.scale**2 * (inner * kernel.value(r2)).sum(), by.noise**2 * inner.trace()
    return _evidence(known, y), np.array([*by_length, by_scale, by_noise, known.weights.sum()])


def _evidence(known: Conditioned, y: Array) -> float:
    fit, size = (y - known.parameters.mean) @ known.weights, np.log(known.factor.diagonal()).sum()
    return float(-0.5 * fit - size - 0.5 * len(y) * np.log(2 * np.pi))
# end: evidence


def fit(kernel: Kernel, x: Array, y: Array, *, seed: int = 0, starts: int = 5, with_prior: bool = False) -> Array:
    """The parameters with the largest evidence, the best of several starts; with the prior, the most probable ones.

    Raises HandbookError if an observation is not a number below LARGEST, or if the matrix is singular at every start.
    """
    small = all((np.abs(each) < LARGEST).all() for each in (x, y))
    if x.ndim != 2 or x.shape[0] != len(y) or not len(y) or not small:
        raise HandbookError("these observations can't be fitted", section=SECTION,
                            why=f"x has the shape {x.shape} and y {y.shape}, or a number isn't below {LARGEST:g}",
                            todo="give x as (n, d) and y as (n,), all of them finite numbers")

    def loss(theta: Array) -> tuple[float, Array]:
        try:
            value, slope = evidence_and_slope(theta, kernel, x, y)
        except LinAlgError:
            return np.inf, np.zeros_like(theta)
        if with_prior:
            more, more_slope = log_prior(theta)
            value, slope = value + more, slope + more_slope
        return -value, -slope

    rng, size = np.random.default_rng(seed), x.shape[1] + 3
    limits = [(-FAR, FAR)] * (size - 1) + [(None, None)]
    found = [minimize(loss, prior_draw(x.shape[1], rng), jac=True, method="L-BFGS-B", bounds=limits)
             for _ in range(starts)]
    best = min(found, key=lambda one: float(one.fun))
    if not np.isfinite(best.fun):
        raise HandbookError("no parameters fit these observations", section=SECTION,
                            why="the covariance matrix was singular at every start",
                            todo="drop inputs that occur twice, or scale inputs and values to about 1")
    theta: Array = best.x
    return theta
