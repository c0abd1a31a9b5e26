"""Evidence, gradient and posterior against other ways to compute the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from labhandbook.runs import HandbookError
from mhi_gp import KERNELS, condition, fit, log_evidence
from mhi_gp.kernels import Array, squared_distances
from mhi_gp.prior import LENGTH, MEAN, NOISE, SCALE, log_prior, prior_draw
from mhi_gp.regression import Parameters, evidence_and_slope

every_kernel = pytest.mark.parametrize("name", list(KERNELS))


def some(inputs: int = 2, size: int = 9) -> tuple[Array, Array, Array]:
    """A parameter vector, and observations of a smooth function."""
    rng = np.random.default_rng(3)
    x = rng.random((size, inputs))
    return prior_draw(inputs, rng), x, np.sin(5 * x[:, 0]) + x.sum(axis=1)


def covariance(name: str, theta: Array, one: Array, other: Array) -> Array:
    """Written out pair by pair, from the book's formulas for the distance r."""
    by = Parameters.of(theta)
    r = np.array([[np.sqrt((((a - b) / by.lengths) ** 2).sum()) for b in other] for a in one])
    value = {"squared-exponential": np.exp(-(r**2) / 2), "matern-32": (1 + 3**0.5 * r) * np.exp(-(3**0.5) * r),
             "matern-52": (1 + 5**0.5 * r + 5 * r**2 / 3) * np.exp(-(5**0.5) * r)}[name]
    return np.asarray(by.scale**2 * value)


@every_kernel
def test_evidence_is_the_density_of_a_normal_distribution(name: str) -> None:
    theta, x, y = some()
    by = Parameters.of(theta)
    whole = covariance(name, theta, x, x) + by.noise**2 * np.eye(len(x))
    expected = multivariate_normal.logpdf(y, np.full(len(x), by.mean), whole)
    assert log_evidence(theta, KERNELS[name], x, y) == pytest.approx(expected, rel=1e-6)


@every_kernel
def test_gradient_is_the_slope_of_the_evidence(name: str) -> None:
    theta, x, y = some()
    value, slope = evidence_and_slope(theta, KERNELS[name], x, y)
    assert value == log_evidence(theta, KERNELS[name], x, y)
    def moved(other: Array) -> float:
        return log_evidence(other, KERNELS[name], x, y)

    numbers = approx_fprime(theta, moved, 1e-6)
    assert slope == pytest.approx(numbers, rel=1e-3, abs=1e-3 * float(np.abs(numbers).max()))


def test_gradient_of_the_prior_is_its_slope() -> None:
    theta = some()[0]

    def moved(other: Array) -> float:
        return log_prior(other)[0]

    assert log_prior(theta)[1] == pytest.approx(approx_fprime(theta, moved, 1e-6), abs=1e-4)


@every_kernel
def test_posterior_is_the_conditional_normal_distribution(name: str) -> None:
    theta, x, y = some()
    by, new = Parameters.of(theta), np.random.default_rng(4).random((5, 2))
    inverse = np.linalg.inv(covariance(name, theta, x, x) + by.noise**2 * np.eye(len(x)))
    across = covariance(name, theta, new, x)
    mean, sd = condition(theta, KERNELS[name], x, y).predict(new)
    assert mean == pytest.approx(by.mean + across @ inverse @ (y - by.mean), rel=1e-4)
    assert sd**2 == pytest.approx(by.scale**2 - np.diag(across @ inverse @ across.T), rel=1e-3, abs=1e-6)


def test_drawn_functions_have_the_moments_of_the_posterior() -> None:
    theta, x, y = some()
    known, new = condition(theta, KERNELS["matern-52"], x, y), np.random.default_rng(5).random((3, 2))
    rng = np.random.default_rng(6)
    drawn = np.array([known.draw(new, rng) for _ in range(4000)])
    mean, sd = known.predict(new)
    assert np.all(np.abs(drawn.mean(axis=0) - mean) < 5 * sd / 4000**0.5)
    assert drawn.std(axis=0) == pytest.approx(sd, rel=0.1)


def test_far_from_all_data_the_process_is_its_prior() -> None:
    theta, x, y = some()
    mean, sd = condition(theta, KERNELS["matern-52"], x, y).predict(np.full((1, 2), 1e3))
    by = Parameters.of(theta)
    assert (mean[0], sd[0]) == pytest.approx((by.mean, by.scale))


def test_fit_finds_the_parameters_that_made_the_data() -> None:
    kernel, rng = KERNELS["squared-exponential"], np.random.default_rng(1)
    theta = np.array([np.log(0.15), 0.0, np.log(0.1), 0.5])
    x = rng.random((150, 1))
    y = 0.5 + np.linalg.cholesky(covariance(kernel.name, theta, x, x) + 0.01 * np.eye(150)) @ rng.standard_normal(150)
    found = Parameters.of(fit(kernel, x, y))
    assert found.lengths[0] == pytest.approx(0.15, rel=0.25) and found.noise == pytest.approx(0.1, rel=0.2)
    assert log_evidence(fit(kernel, x, y), kernel, x, y) > log_evidence(theta, kernel, x, y)


def test_the_prior_holds_a_fit_of_two_points() -> None:
    x, y = np.array([[0.2], [0.8]]), np.array([0.0, 1.0])
    centre, spread = np.array([LENGTH, SCALE, NOISE, MEAN]).T
    held = fit(KERNELS["matern-52"], x, y, with_prior=True)
    assert np.all(np.abs((held - centre) / spread) < 2)


@pytest.mark.parametrize(("x", "y"), [(np.zeros((3, 1)), np.zeros(2)), (np.zeros(3), np.zeros(3)),
                                      (np.zeros((0, 1)), np.zeros(0)), (np.zeros((1, 1)), np.array([np.nan]))])
def test_observations_that_can_not_be_fitted_are_one_message(x: Array, y: Array) -> None:
    with pytest.raises(HandbookError, match="can't be fitted"):
        fit(KERNELS["matern-52"], x, y)


def test_an_input_that_occurs_twice_is_no_trouble() -> None:
    x, y = np.array([[0.1], [0.1], [0.7]]), np.array([0.0, 0.0, 1.0])
    assert np.isfinite(fit(KERNELS["squared-exponential"], x, y)).all()


def test_distances_are_in_length_scales() -> None:
    apart = squared_distances(np.array([[0.0, 0.0]]), np.array([[2.0, 3.0], [0.0, 1.0]]), np.array([2.0, 1.0]))
    assert apart.tolist() == [[10.0, 1.0]]
