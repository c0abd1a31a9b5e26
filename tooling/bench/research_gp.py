"""Gaussian processes and Bayesian optimisation against what a user would take instead, on the same data, in one run.

Regression is held against GPyReg and GPyTorch (fitted by BoTorch's L-BFGS) on two functions with noise. The loop is
held against BoTorch's LogEI on three functions, from equal first evaluations. Seconds are those of the processor. Run
it in the environment of `make test-research`, after `.venv-research/bin/pip install gpyreg gpytorch botorch`:
`.venv-research/bin/python tooling/bench/research_gp.py`.
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

from mhi_bo import TARGETS, Target, minimise
from mhi_gp import KERNELS, condition, fit, sample_parameters

NEW, SEEDS, SAMPLES = 500, 10, 20
BUDGETS = {"forrester": 15, "branin": 30, "hartmann6": 40}
SIZES = {"waves": 100, "hartmann6": 60}
Answer = tuple[Any, Any]


def data(name: str, seed: int) -> tuple[Any, Any, Any, Any]:
    """Noisy values of a smooth function of 3 inputs, or Hartmann's of 6, at random inputs: to learn and predict."""
    rng, size = np.random.default_rng(seed), SIZES[name]
    x = rng.random((size + NEW, 3 if name == "waves" else 6))
    y = np.sin(6 * x[:, 0]) + x[:, 1] ** 2 - np.cos(4 * x[:, 2]) if name == "waves" else \
        np.array([TARGETS[name].value(each) for each in x])
    y += 0.1 * y.std() * rng.standard_normal(len(x))
    y = (y - y[:size].mean()) / y[:size].std()
    return x[:size], y[:size], x[size:], y[size:]


def ours_fitted(x: Any, y: Any, new: Any) -> Answer:
    """One parameter vector, with the largest evidence."""
    return _mixed("matern-52", [fit(KERNELS["matern-52"], x, y, starts=2)], x, y, new)


def ours_as_gpytorch(x: Any, y: Any, new: Any) -> Answer:
    """The most probable parameter vector, with the kernel of BoTorch's models, which have a prior too."""
    kernel = "squared-exponential"
    return _mixed(kernel, [fit(KERNELS[kernel], x, y, starts=2, with_prior=True)], x, y, new)


def ours_sampled(x: Any, y: Any, new: Any) -> Answer:
    """As many sampled ones as GPyReg takes."""
    return _mixed("matern-52", sample_parameters(KERNELS["matern-52"], x, y, count=SAMPLES), x, y, new)


def _mixed(kernel: str, thetas: Any, x: Any, y: Any, new: Any) -> Answer:
    each = [(*condition(theta, KERNELS[kernel], x, y).predict(new), np.exp(theta[-2])) for theta in thetas]
    means = np.array([mean for mean, _, _ in each])
    variance = np.mean([sd**2 + noise**2 for _, sd, noise in each], axis=0) + means.var(axis=0)
    return means.mean(axis=0), np.sqrt(variance)


def of_gpyreg(x: Any, y: Any, new: Any) -> Answer:
    """GPyReg with its own priors, as its documentation shows it."""
    gp = gpyreg.GP(D=x.shape[1], covariance=gpyreg.covariance_functions.Matern(5),
                   mean=gpyreg.mean_functions.ConstantMean(),
                   noise=gpyreg.noise_functions.GaussianNoise(constant_add=True))
    gp.fit(X=x, y=y[:, None], options={"n_samples": SAMPLES})
    mean, variance = gp.predict(new, add_noise=True)
    return mean.ravel(), np.sqrt(variance.ravel())


def of_gpytorch(x: Any, y: Any, new: Any) -> Answer:
    """GPyTorch's exact process as BoTorch fits it."""
    model = SingleTaskGP(torch.from_numpy(x), torch.from_numpy(y)[:, None])
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    with torch.no_grad():
        found = model.posterior(torch.from_numpy(new), observation_noise=True)
        return found.mean.numpy().ravel(), found.variance.sqrt().numpy().ravel()


def ours(target: Target, budget: int, seed: int) -> float:
    """The smallest value found by expected improvement."""
    return float(minimise(target.value, target.low, target.high, budget=budget, seed=seed).y.min())


def of_botorch(target: Target, budget: int, seed: int) -> float:
    """The smallest value found by BoTorch's loop with LogEI."""
    torch.manual_seed(seed)
    low, width = target.low, target.high - target.low
    begun = minimise(target.value, low, target.high, budget=max(4, 2 * len(low)), seed=seed)
    y: list[float]
    x, y = torch.tensor((begun.x - low) / width), begun.y.tolist()
    while len(y) < budget:
        known = torch.tensor(y, dtype=torch.double)
        known = -(known - known.mean()) / known.std()
        model = SingleTaskGP(x, known[:, None])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        rule = LogExpectedImprovement(model, best_f=float(known.max()))
        chosen, _ = optimize_acqf(rule, torch.tensor([[0.0] * len(low), [1.0] * len(low)], dtype=torch.double), q=1,
                                  num_restarts=3, raw_samples=256)
        x, y = torch.cat([x, chosen]), [*y, target.value(low + width * chosen[0].numpy())]
    return min(y)


def regression(name: str) -> None:
    """Print how each way predicts one function: means over the seeds."""
    print(f"regression: {SIZES[name]} observations of {name}, means over {SEEDS} seeds")
    ways: dict[str, Callable[[Any, Any, Any], Answer]] = {
        "fitted": ours_fitted, "fitted as GPyTorch does": ours_as_gpytorch,
        "GPyTorch, fitted": of_gpytorch, "sampled": ours_sampled, "GPyReg, sampled": of_gpyreg}
    for way, predicted in ways.items():
        rows = []
        for seed in range(SEEDS):
            x, y, new, right = data(name, seed)
            start = time.process_time()
            mean, sd = predicted(x, y, new)
            rows.append((time.process_time() - start, np.sqrt(np.mean((mean - right) ** 2)),
                         -np.mean(norm.logpdf(right, mean, sd)), 100 * np.mean(np.abs(mean - right) < 1.96 * sd)))
        taken, error, loss, share = np.mean(rows, axis=0)
        print(f"{way:<26} {taken:7.2f} s   error {error:.3f}   negative log density {loss:6.3f}   "
              f"{share:.0f} % in the 95 % interval", flush=True)


def optimisation(name: str, way: str, search: Callable[[Target, int, int], float]) -> None:
    """Print the distance to a known minimum after one way to search: the quartiles over the seeds."""
    start, target = time.process_time(), TARGETS[name]
    found = [search(target, BUDGETS[name], seed) - target.minimum for seed in range(SEEDS)]
    low, middle, high = np.percentile(found, [25, 50, 75])
    print(f"{BUDGETS[name]} evaluations of {name}, {way}: {(time.process_time() - start) / SEEDS:.1f} s, "
          f"{middle:.2g} above the minimum ({low:.2g} to {high:.2g})", flush=True)


def main() -> None:
    """Print every comparison."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for name in SIZES:
        regression(name)
    for name in BUDGETS:
        optimisation(name, "expected improvement", ours)
        optimisation(name, "BoTorch's LogEI", of_botorch)


if __name__ == "__main__":
    main()
