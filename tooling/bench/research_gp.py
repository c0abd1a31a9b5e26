"""Gaussian processes and Bayesian optimisation against what a user would take instead, on the same data, in one run.

Regression is held against GPyReg and GPyTorch (fitted by BoTorch's L-BFGS), the loop against BoTorch's LogEI. Seconds
are those of the processor. Run it in the environment of `make test-research`, after
`.venv-research/bin/pip install gpyreg gpytorch botorch`: `.venv-research/bin/python tooling/bench/research_gp.py`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import gpyreg
import numpy as np
import torch
from botorch.acquisition import LogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.optim import optimize_acqf
from gpytorch.mlls import ExactMarginalLogLikelihood
from scipy.stats import norm

from mhi_bo import TARGETS, minimise
from mhi_gp import KERNELS, condition, fit, sample_parameters

SIZE, NEW, INPUTS, SEEDS, BUDGET = 100, 500, 3, 3, 40
Answer = tuple[Any, Any]


def data(seed: int) -> tuple[Any, Any, Any, Any]:
    """Noisy values of a smooth function at random inputs, to learn from and to predict."""
    rng = np.random.default_rng(seed)
    x = rng.random((SIZE + NEW, INPUTS))
    y = np.sin(6 * x[:, 0]) + x[:, 1] ** 2 - np.cos(4 * x[:, 2]) + 0.1 * rng.standard_normal(len(x))
    y = (y - y[:SIZE].mean()) / y[:SIZE].std()
    return x[:SIZE], y[:SIZE], x[SIZE:], y[SIZE:]


def ours_fitted(x: Any, y: Any, new: Any) -> Answer:
    """One fitted parameter vector."""
    theta = fit(KERNELS["matern-52"], x, y, starts=2)
    mean, sd = condition(theta, KERNELS["matern-52"], x, y).predict(new)
    return mean, np.hypot(sd, np.exp(theta[-2]))


def ours_sampled(x: Any, y: Any, new: Any) -> Answer:
    """Twenty sampled ones."""
    thetas = sample_parameters(KERNELS["matern-52"], x, y, count=20)
    each = [(*condition(theta, KERNELS["matern-52"], x, y).predict(new), np.exp(theta[-2])) for theta in thetas]
    means = np.array([mean for mean, _, _ in each])
    variance = np.mean([sd**2 + noise**2 for _, sd, noise in each], axis=0) + means.var(axis=0)
    return means.mean(axis=0), np.sqrt(variance)


def of_gpyreg(x: Any, y: Any, new: Any) -> Answer:
    """GPyReg with twenty samples, as its documentation shows it."""
    gp = gpyreg.GP(D=INPUTS, covariance=gpyreg.covariance_functions.Matern(5),
                   mean=gpyreg.mean_functions.ConstantMean(),
                   noise=gpyreg.noise_functions.GaussianNoise(constant_add=True))
    gp.fit(X=x, y=y[:, None], options={"n_samples": 20})
    mean, variance = gp.predict(new, add_noise=True)
    return mean.ravel(), np.sqrt(variance.ravel())


def of_gpytorch(x: Any, y: Any, new: Any) -> Answer:
    """GPyTorch's exact process as BoTorch fits it."""
    model = SingleTaskGP(torch.from_numpy(x), torch.from_numpy(y)[:, None])
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    with torch.no_grad():
        found = model.posterior(torch.from_numpy(new), observation_noise=True)
        return found.mean.numpy().ravel(), found.variance.sqrt().numpy().ravel()


def of_botorch(value: Callable[[Any], float], low: Any, high: Any, seed: int) -> float:
    """The smallest value found by BoTorch's loop with LogEI."""
    torch.manual_seed(seed)
    box = torch.tensor(np.array([np.zeros(len(low)), np.ones(len(low))]))
    x = torch.quasirandom.SobolEngine(len(low), scramble=True, seed=seed).draw(2 * len(low)).double()
    y = [value(low + (high - low) * each.numpy()) for each in x]
    while len(y) < BUDGET:
        known = torch.tensor(y, dtype=torch.double)
        model = SingleTaskGP(x, -((known - known.mean()) / known.std())[:, None])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        rule = LogExpectedImprovement(model, best_f=float(-((known - known.mean()) / known.std()).min()))
        chosen, _ = optimize_acqf(rule, box, q=1, num_restarts=3, raw_samples=256)
        x, y = torch.cat([x, chosen]), [*y, value(low + (high - low) * chosen[0].numpy())]
    return min(y)


def main() -> None:
    """Print both tables."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    print(f"regression: {SIZE} observations, {INPUTS} inputs, means over {SEEDS} seeds")
    ways: dict[str, Callable[[Any, Any, Any], Answer]] = {
        "fitted": ours_fitted, "GPyTorch, fitted": of_gpytorch, "sampled": ours_sampled, "GPyReg, sampled": of_gpyreg}
    for name, way in ways.items():
        rows = []
        for seed in range(SEEDS):
            x, y, new, right = data(seed)
            start = time.process_time()
            mean, sd = way(x, y, new)
            rows.append((time.process_time() - start, np.sqrt(np.mean((mean - right) ** 2)),
                         -np.mean(norm.logpdf(right, mean, sd)), 100 * np.mean(np.abs(mean - right) < 1.96 * sd)))
        taken, error, loss, share = np.mean(rows, axis=0)
        print(f"{name:<18} {taken:7.2f} s   error {error:.3f}   negative log density {loss:6.3f}   "
              f"{share:.0f} % in the 95 % interval")
    target = TARGETS["hartmann6"]
    print(f"optimisation: {BUDGET} evaluations of {target.name}, medians over {SEEDS} seeds")
    loops: dict[str, Callable[[int], float]] = {
        "expected improvement": lambda seed: float(minimise(target.value, target.low, target.high, budget=BUDGET,
                                                            seed=seed).y.min()),
        "BoTorch, LogEI": lambda seed: of_botorch(target.value, target.low, target.high, seed)}
    for name, loop in loops.items():
        start = time.process_time()
        found = np.median([loop(seed) - target.minimum for seed in range(SEEDS)])
        print(f"{name:<22} {(time.process_time() - start) / SEEDS:7.1f} s   {found:.3f} above the minimum")


if __name__ == "__main__":
    main()
