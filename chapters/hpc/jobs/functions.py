"""Submits a Python function as an array with submitit, and waits for its results. Start it on a login node."""

import os

import submitit


def train(rate, seed):
    """One run."""
    return rate * seed  # train here, and return the result


executor = submitit.AutoExecutor(folder="slurm_log/functions")
executor.update_parameters(slurm_partition=os.environ["PARTITION"], timeout_min=10, cpus_per_task=1,
                           slurm_mem="2G", slurm_array_parallelism=4)
jobs = executor.map_array(train, [0.1, 0.1, 0.3, 0.3], [1, 2, 1, 2])
print("results", [job.result() for job in jobs], flush=True)
