"""Runs many short programs inside one job with HyperQueue, as many at a time as the job has cores."""

import os
import sys
from pathlib import Path

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig

cores = int(os.environ["SLURM_CPUS_PER_TASK"])
Path("results").mkdir(exist_ok=True)
with LocalCluster(worker_config=WorkerConfig(cores=cores)) as cluster:
    client = cluster.client()
    job = Job()
    for seed in range(20):  # the program of each task, here a line that writes a file
        job.program([sys.executable, "-c", f"open('results/{seed}', 'w').write('{seed ** 2}')"],
                    stdout=f"results/{seed}.out", stderr=f"results/{seed}.err")
    client.wait_for_jobs([client.submit(job)])
print(sum(int(Path(f"results/{seed}").read_text()) for seed in range(20)), flush=True)
