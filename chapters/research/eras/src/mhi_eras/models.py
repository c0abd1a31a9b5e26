"""The models of the sweep, and how a fitted one is kept: as layers of numbers in an npz file, nothing pickled."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, Ridge
from sklearn.neural_network import MLPRegressor

from labhandbook.runs import HandbookError
from mhi_eras.data import SECTION, Table

# Name of a model, its strengths of regularisation, and how it is made.
SWEEP: dict[str, tuple[float, ...]] = {
    "ridge": (10.0, 1000.0, 30000.0),
    "lasso": (0.0003, 0.001, 0.003),
    "elastic-net": (0.0006, 0.002, 0.006),
    "network": (0.001, 0.1),
}


def make(name: str, alpha: float, seed: int) -> Any:
    """An unfitted model of the sweep.

    Ridge: Hoerl and Kennard 1970. Lasso: Tibshirani 1996. Elastic net: Zou and Hastie 2005. The network has two
    hidden layers of 32 and 16 rectified units, and stops when a tenth of its rows no longer improves.
    """
    match name:
        case "ridge":
            return Ridge(alpha=alpha)
        case "lasso":
            return Lasso(alpha=alpha, max_iter=300)
        case "elastic-net":
            return ElasticNet(alpha=alpha, l1_ratio=0.5, max_iter=300)
        case _:
            return MLPRegressor(hidden_layer_sizes=(32, 16), alpha=alpha, early_stopping=True, n_iter_no_change=3,
                                max_iter=30, learning_rate_init=0.003, batch_size=1000, random_state=seed)


@dataclass(frozen=True)
class Fitted:
    """A fitted model: layers of weights (inputs, outputs) and biases (outputs,), rectified in between."""

    features: tuple[str, ...]
    weights: tuple[NDArray[np.float64], ...]
    biases: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, model: Any, features: list[str]) -> Fitted:
        """A fitted model of the sweep as layers; a linear one is a single layer."""
        if hasattr(model, "coefs_"):
            return cls(tuple(features), tuple(model.coefs_), tuple(model.intercepts_))
        return cls(tuple(features), (np.reshape(model.coef_, (-1, 1)),), (np.reshape(model.intercept_, 1),))

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(rows, features) to (rows,)."""
        values: NDArray[np.float64] = x.astype(np.float64)
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = (np.maximum(values, 0) if depth else values) @ weight + bias
        return values[:, 0]

    def save(self, path: Path) -> None:
        """Write it to an npz file, replaced when the new one is whole."""
        arrays = {f"w{depth}": weight for depth, weight in enumerate(self.weights)}
        arrays |= {f"b{depth}": bias for depth, bias in enumerate(self.biases)}
        fresh = path.with_name(f".{path.name}.new")
        with fresh.open("wb") as stream:
            np.savez(stream, allow_pickle=False, features=np.array(self.features), **arrays)
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> Fitted:
        """Read what `save` wrote. Raises HandbookError when it is something else; no code of it can run."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                depth = sum(name.startswith("w") for name in kept.files)
                made = cls(tuple(map(str, kept["features"])), tuple(kept[f"w{number}"] for number in range(depth)),
                           tuple(kept[f"b{number}"] for number in range(depth)))
            if not depth or not np.isfinite(made.predict(np.zeros((1, len(made.features)), np.float32))).all():
                raise ValueError("it has no layers of numbers")
            return made
        except Exception as error:  # a damaged file fails in zipfile or NumPy, each in ways of its own
            raise HandbookError(f"the model can't be read: {error}", where=str(path), section=SECTION,
                                why="it is no npz file that mhi-eras study wrote",
                                todo="run mhi-eras study again") from None


def fit(name: str, alpha: float, table: Table, seed: int) -> Any:
    """A model of the sweep, fitted to a table. It may stop early by choice, so no warning is shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make(name, alpha, seed).fit(table.x, table.y)
