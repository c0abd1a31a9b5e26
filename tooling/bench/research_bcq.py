"""Our discrete BCQ against d3rlpy's: the same log of the lane, networks, batches and updates, one thread, in one run.

Run it in an environment of its own, because d3rlpy requires an older Gymnasium than mhi-driving: install mhi-driving
and d3rlpy there, then `pip install --upgrade gymnasium` against d3rlpy's requirement, and start
`python tooling/bench/research_bcq.py` with its Python. Both hold the rate at its first value. What counts is the
ratio of processor seconds; metres for each disengagement are those of twenty roads that neither has seen.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from d3rlpy.algos import DiscreteBCQConfig
from d3rlpy.dataset import MDPDataset
from d3rlpy.logging import NoopAdapterFactory
from d3rlpy.models.encoders import VectorEncoderFactory

from mhi_driving.bcq import BCQ, Settings
from mhi_driving.drive import Policy, evaluate
from mhi_driving.drivers import ACTIONS
from mhi_driving.logs import DRIVES, Log, write_log

LANE = "mhi/Lane-v0"
Driven = tuple[float, Policy]


def ours(log: Log, passes: int, seed: int) -> Driven:
    """Processor seconds of the passes, and the policy."""
    settings = Settings()
    learner = BCQ(settings, "bcq", log.type["before"].shape, len(ACTIONS), seed)
    start = time.process_time()
    for number in range(passes):
        for records in log.batches(settings.batch, np.random.default_rng([seed, number])):
            learner.update(records)
    return time.process_time() - start, learner.drive()


def theirs(log: Log, passes: int, seed: int) -> Driven:
    """The same for d3rlpy, whose data set lies in memory; a drive ends where the next record is of another."""
    settings, rows = Settings(), np.concatenate([log.shard(number) for number in range(len(log.paths))])
    cut = np.append((rows["after"][:-1] != rows["before"][1:]).any(axis=1), True)
    data = MDPDataset(rows["before"], rows["action"][:, None], rows["reward"][:, None], rows["ended"].astype(float),
                      (cut & ~rows["ended"]).astype(float), action_size=len(ACTIONS))
    torch.manual_seed(seed)
    steps = passes * -(-len(rows) // settings.batch)
    learner = DiscreteBCQConfig(
        batch_size=settings.batch, gamma=settings.discount, learning_rate=settings.rate, action_flexibility=0.3,
        beta=settings.calm, encoder_factory=VectorEncoderFactory([settings.hidden] * 2), share_encoder=False,
        target_update_interval=20).create(device="cpu:0")
    start = time.process_time()
    learner.fit(data, n_steps=steps, n_steps_per_epoch=steps, show_progress=False,
                logger_adapter=NoopAdapterFactory())
    taken = time.process_time() - start

    def act(seen: Any) -> Any:
        return ACTIONS[learner.predict(seen)]

    return taken, act


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        write_log(Path(folder), {"env": LANE, "shards": 10, "rows": 4000, "seed": 0}, DRIVES[LANE])
        log = Log(Path(folder))
        print(f"BCQ on {log.rows} transitions of {LANE}, {options.passes} passes, means of {options.seeds} seeds")
        for name, way in (("mhi-driving", ours), ("d3rlpy", theirs)):
            found = [way(log, options.passes, seed) for seed in range(options.seeds)]
            metres = [evaluate(policy, LANE).metres_per_disengagement for _, policy in found]
            print(f"{name:12} {np.mean([taken for taken, _ in found]):7.1f} s   {np.mean(metres):7.0f} m")


if __name__ == "__main__":
    main()
