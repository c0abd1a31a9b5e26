"""How often a new observation lies within the 95 % interval: with the true parameters, sampled ones, and fitted ones.

One run is one seed. Each task draws parameters from the prior, a function with them, and a few noisy observations of
it. Predictions with the same prior are right in 95 % of the cases on average, for any number of observations. The
study compares the two ways to learn the parameters with this exact answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.linalg import cholesky
from scipy.stats import norm

from labhandbook.runs import Run, read_metrics
from mhi_gp.kernels import KERNELS, Array, Kernel, squared_distances
from mhi_gp.prior import prior_draw
from mhi_gp.regression import Parameters, condition, fit
from mhi_gp.sampling import sample_parameters

SHARE = 0.95
SIZES = (5, 10, 20)
WAYS = ("true", "sampled", "fitted")
NEW, SAMPLES = 40, 100  # observations that each task predicts, and parameter vectors that it samples


@dataclass(frozen=True)
class Task:
    """Observations y at x, as many to predict, and the parameters that made them."""

    theta: Array
    x: Array
    y: Array
    new: Array
    new_y: Array


def draw_task(kernel: Kernel, size: int, rng: np.random.Generator) -> Task:
    """A task of so many observations."""
    theta = prior_draw(1, rng)
    by, x = Parameters.of(theta), rng.random((size + NEW, 1))
    signal = by.scale**2 * kernel.value(squared_distances(x, x, by.lengths))
    root = cholesky(signal + (by.noise**2 + 1e-10 * by.scale**2) * np.eye(len(x)), lower=True)
    y = by.mean + root @ rng.standard_normal(len(x))
    return Task(theta, x[:size], y[:size], x[size:], y[size:])


# part: coverage
def coverage(kernel: Kernel, task: Task, thetas: Sequence[Array] | Array) -> float:
    """The share of the new observations within the interval; all parameter vectors have the same weight in it."""
    below = np.zeros(len(task.new))
    for theta in thetas:
        mean, sd = condition(theta, kernel, task.x, task.y).predict(task.new)
        below += norm.cdf(task.new_y, mean, np.hypot(sd, np.exp(theta[-2]))) / len(thetas)
    return float(np.mean(np.abs(below - 0.5) < SHARE / 2))
# end: coverage


def study(folder: Path, *, seed: int = 0, tasks: int = 40, kernel: str = "matern-52") -> Run:
    """Run or continue the study of one seed in `folder`, so many tasks of each size.

    The result has the mean coverage of each way and size. Each finished task is logged, so a stopped run
    continues after it, and a finished run continues when more tasks are asked for.
    """
    with Run.open(folder, {"seed": seed, "kernel": kernel}, tasks * len(SIZES), ("--tasks", tasks)) as run:
        if run.finished:
            return run
        saved = run.latest()
        for step in range(saved.step if saved else 0, tasks * len(SIZES)):
            if run.stopping:
                return run
            size, number = SIZES[step % len(SIZES)], step // len(SIZES)
            run.log(step + 1, size=size, **_measured(KERNELS[kernel], size, [seed, number]))
            run.save(step + 1, lambda place: (place / "step").write_text("the metrics hold all that is known\n"))
        lines = read_metrics(folder)
        run.finish({way: {str(size): float(np.mean([line[way] for line in lines if line["size"] == size]))
                          for size in SIZES} for way in WAYS})
        return run


def _measured(kernel: Kernel, size: int, seeds: list[int]) -> dict[str, float]:
    task, seed = draw_task(kernel, size, np.random.default_rng([size, *seeds])), size + 1000 * sum(seeds)
    fitted = fit(kernel, task.x, task.y, seed=seed)
    sampled = sample_parameters(kernel, task.x, task.y, count=SAMPLES, seed=seed)
    return {"true": coverage(kernel, task, [task.theta]), "sampled": coverage(kernel, task, sampled),
            "fitted": coverage(kernel, task, [fitted])}
