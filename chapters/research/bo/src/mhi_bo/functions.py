"""Functions whose smallest value is known, to hold an optimiser to.

Forrester, Sobester and Keane, Engineering Design via Surrogate Modelling (2008), page 201, for the first; Dixon and
Szegö, Towards Global Optimisation 2 (1978), for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mhi_gp.kernels import Array


@dataclass(frozen=True)
class Target:
    """A function of an input (d,) within the bounds `low` and `high` (d,), and its smallest value there."""

    name: str
    low: Array
    high: Array
    minimum: float
    value: Callable[[Array], float]


def _forrester(x: Array) -> float:
    return float((6 * x[0] - 2) ** 2 * np.sin(12 * x[0] - 4))


def _branin(x: Array) -> float:
    first = x[1] - 5.1 / (4 * np.pi**2) * x[0] ** 2 + 5 / np.pi * x[0] - 6
    return float(first**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x[0]) + 10)


WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
NARROW = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8],
                   [17, 8, 0.05, 10, 0.1, 14]])
PLACES = np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                   [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]) / 10_000


def _hartmann6(x: Array) -> float:
    return float(-WEIGHTS @ np.exp(-(NARROW * (x - PLACES) ** 2).sum(axis=1)))


TARGETS = {target.name: target for target in (
    Target("forrester", np.zeros(1), np.ones(1), -6.02074, _forrester),
    Target("branin", np.array([-5.0, 0.0]), np.array([10.0, 15.0]), 0.397887, _branin),
    Target("hartmann6", np.zeros(6), np.ones(6), -3.32237, _hartmann6),
)}
