"""Our TD3 against Stable-Baselines3's and CleanRL's: the same steps, networks and batches, one thread, in one run.

Run it with `.venv-research/bin/python tooling/bench/research_driving.py --cleanrl ~/cleanrl` after
`pip install stable-baselines3 tyro tensorboard`. CleanRL is no library but files to copy: clone its repository and
name its folder, or it is left out. Its file requires Gymnasium 0.29; here it runs in the newer one, with
a vector environment that speaks as the older did. All networks are as wide as CleanRL's, whose width is in its code.

The numbers on the page `chapters/research/driving/trust.qmd` come from these two commands:
`research_driving.py --seeds 2 --cleanrl ~/cleanrl` for the pendulum, and
`research_driving.py --seeds 2 --cleanrl ~/cleanrl --env mhi/Lane-v0 --steps 16000` for the lane.

They take turns, so that what else the machine does hits each; what counts is the ratio. Returns are of 20 episodes
without noise.
"""

from __future__ import annotations

import argparse
import os
import runpy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3 import TD3
from stable_baselines3.common.noise import NormalActionNoise

from labhandbook.runs import Run
from mhi_driving.drive import REPORTING, evaluate
from mhi_driving.policies import load
from mhi_driving.train import params, settings_for, train

# Processor seconds and mean return of a training on an environment, from its settings and seed.
Trained = Callable[[str, Any, int], tuple[float, float]]


def ours(env: str, settings: Any, seed: int) -> tuple[float, float]:
    """mhi-driving, its evaluations and checkpoints included."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        with Run.open(Path(folder), params(env, settings, seed), steps=settings.steps) as run:
            train(run, env, settings, seed)
        taken = time.process_time() - start
        return taken, float(evaluate(load(Path(folder)).policy, env, REPORTING).mean)


def baselines3(env: str, settings: Any, seed: int) -> tuple[float, float]:
    """Stable-Baselines3 with our settings."""
    made = gymnasium.make(env)
    high = np.asarray(getattr(made.action_space, "high", None))
    noise = NormalActionNoise(np.zeros(high.shape), np.full(high.shape, settings.noise))
    start = time.process_time()
    model = TD3("MlpPolicy", made, learning_rate=settings.actor_rate, batch_size=settings.batch,
                learning_starts=settings.warm_up, tau=settings.tau, gamma=settings.discount, action_noise=noise,
                policy_kwargs={"net_arch": [settings.hidden] * 2}, seed=seed, device="cpu")
    model.learn(settings.steps)
    taken = time.process_time() - start
    score = evaluate(lambda seen: model.predict(seen, deterministic=True)[0] / high, env, REPORTING)
    return taken, float(score.mean)


class Older(SyncVectorEnv):  # type: ignore[misc, unused-ignore]
    """A vector environment that begins again and names what it did as Gymnasium 0.29 did."""

    def __init__(self, makers: Any) -> None:
        super().__init__(makers, autoreset_mode=AutoresetMode.SAME_STEP)

    def step(self, actions: Any) -> Any:
        """One step; the last observation of an episode under its old name, no word about finished episodes."""
        *seen, infos = super().step(actions)
        infos.pop("final_info", None)
        return *seen, {**infos, "final_observation": infos.get("final_obs")}


def cleanrl(folder: Path) -> Trained:
    """CleanRL's file as it is, with our settings."""
    sys.path.insert(0, str(folder))

    def trained(env: str, settings: Any, seed: int) -> tuple[float, float]:
        words = {"env-id": env, "seed": seed, "total-timesteps": settings.steps, "learning-rate": settings.actor_rate,
                 "buffer-size": settings.memory, "gamma": settings.discount, "tau": settings.tau,
                 "batch-size": settings.batch, "policy-noise": settings.smoothing, "noise-clip": settings.clip,
                 "exploration-noise": settings.noise, "learning-starts": settings.warm_up,
                 "policy-frequency": settings.delay}
        sys.argv = ["td3", "--no-cuda", *(f"--{name}={value}" for name, value in words.items())]
        gymnasium.vector.SyncVectorEnv = Older  # type: ignore[misc, unused-ignore]
        start = time.process_time()
        actor = runpy.run_path(str(folder / "cleanrl/td3_continuous_action.py"), run_name="__main__")["actor"]
        taken = time.process_time() - start
        gymnasium.vector.SyncVectorEnv = SyncVectorEnv  # type: ignore[misc, unused-ignore]

        @torch.inference_mode()  # type: ignore[untyped-decorator, unused-ignore]
        def policy(seen: Any) -> Any:
            return (actor(torch.as_tensor(seen, dtype=torch.float32)) / actor.action_scale).numpy()

        return taken, float(evaluate(policy, env, REPORTING).mean)

    return trained


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="Pendulum-v1")
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cleanrl", type=Path, help="CleanRL's repository")
    options = parser.parse_args()
    learners: dict[str, Trained] = {"mhi-driving": ours, "stable-baselines3": baselines3}
    if options.cleanrl:
        learners["cleanrl"] = cleanrl(options.cleanrl.resolve())
    else:
        print("CleanRL is left out: --cleanrl names no folder")
    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1)])  # the first optimiser loads much of torch: none of them is charged for it
    settings = settings_for("td3", options.env, steps=options.steps, hidden=256)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # CleanRL writes what it logs where it runs
        rows = [{name: learn(options.env, settings, seed) for name, learn in learners.items()}
                for seed in range(options.seeds)]
    print(f"TD3 on {options.env}, {options.steps} steps, {options.seeds} seeds, one thread")
    print(f"{'':20}{'steps/s':>10}{'return':>10}   of each seed")
    for name in learners:
        seconds, score = (statistics.mean(row[name][part] for row in rows) for part in (0, 1))
        print(f"{name:20}{options.steps / seconds:10.0f}{score:10.1f}   "
              + " ".join(f"{row[name][1]:.1f}" for row in rows))


if __name__ == "__main__":
    main()
