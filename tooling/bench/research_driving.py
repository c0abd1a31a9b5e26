"""Our TD3 against Stable-Baselines3's on Pendulum-v1: the same steps, networks and batches, one thread, in one run.

Run it with `.venv-research/bin/python tooling/bench/research_driving.py` after `pip install stable-baselines3`.
The two take turns, so that what else the machine does hits both; what counts is the ratio. Returns are of 20 episodes
without noise.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import gymnasium
import numpy as np
import torch
from stable_baselines3 import TD3
from stable_baselines3.common.noise import NormalActionNoise

from labhandbook.runs import Run
from mhi_driving.drive import REPORTING, evaluate
from mhi_driving.policies import load
from mhi_driving.train import params, settings_for, train

PENDULUM = "Pendulum-v1"


def ours(steps: int, seed: int) -> tuple[float, float]:
    """Processor seconds and mean return of mhi-driving, its evaluations and checkpoints included."""
    settings = settings_for("td3", PENDULUM, steps=steps)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        with Run.open(Path(folder), params(PENDULUM, settings, seed), steps=steps) as run:
            train(run, PENDULUM, settings, seed)
        taken = time.process_time() - start
        return taken, float(evaluate(load(Path(folder)).policy, PENDULUM, REPORTING).mean)


def theirs(steps: int, seed: int) -> tuple[float, float]:
    """Processor seconds and mean return of Stable-Baselines3 with our settings."""
    settings = settings_for("td3", PENDULUM, steps=steps)
    noise = NormalActionNoise(np.zeros(1), np.full(1, 2 * settings.noise))
    start = time.process_time()
    model = TD3("MlpPolicy", gymnasium.make(PENDULUM), learning_rate=settings.actor_rate, batch_size=settings.batch,
                learning_starts=settings.warm_up, tau=settings.tau, gamma=settings.discount, action_noise=noise,
                policy_kwargs={"net_arch": [settings.hidden] * 2}, seed=seed, device="cpu")
    model.learn(steps)
    taken = time.process_time() - start
    score = evaluate(lambda seen: model.predict(seen, deterministic=True)[0] / 2, PENDULUM, REPORTING)
    return taken, float(score.mean)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [(ours(options.steps, seed), theirs(options.steps, seed)) for seed in range(options.seeds)]
    print(f"TD3 on {PENDULUM}, {options.steps} steps, {options.seeds} seeds, one thread")
    print(f"{'':20}{'seconds':>10}{'return':>10}")
    means = []
    for name, column in (("mhi-driving", 0), ("stable-baselines3", 1)):
        seconds, score = (statistics.mean(row[column][part] for row in rows) for part in (0, 1))
        means.append(seconds)
        print(f"{name:20}{seconds:10.1f}{score:10.1f}")
    print(f"mhi-driving takes {means[0] / means[1]:.2f} times as long")


if __name__ == "__main__":
    main()
