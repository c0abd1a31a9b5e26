"""The text of job scripts: the request of a plan, the cluster's environment and what the kind of job runs."""

from __future__ import annotations

from textwrap import wrap

from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.job_request import clock
from labhandbook.hpc.new_job import SAVE_SECONDS, Kind, Plan
from labhandbook.hpc.script_parts import part

LOGS = "slurm_log"
# What stands beside the chapters' code without scrolling, less the mark of a comment.
WIDTH = 76
# The environment of a cluster's jobs, and the words that start Python in it; the second of each is for GPU work.
ENVIRONMENTS = {
    "lumi": (("folder", "python3"), ("lumi-gpu", 'singularity run "${options[@]}" "$SIF" python')),
    "roihu": (("folder", "python3"), ("roihu-gpu", "python3")),
    "turso": (("turso", "python"), ("turso", "python")),
}


def script(plan: Plan, file: str, notes: tuple[str, ...] = (), host: str | None = None) -> str:
    """The text of a job script.

    `file` is its name, `notes` are the lines that tell what it is for, `host` says where to submit it ("" leaves that
    out; without it the cluster's login node is named).
    """
    cluster, wish = plan.cluster, plan.wish
    told = [line for note in notes or (f"{cluster.name} {plan.partition.name}.",) for line in wrap(note, WIDTH)]
    told += _how(plan, file, login(cluster, plan.partition) if host is None else host)
    text = "\n".join([*_directives(plan), "", *(f"# {line}" for line in told)]) + "\n\n"
    if wish.kind is Kind.SMALLEST:
        return text + part("smallest", cluster)
    environment, python = ENVIRONMENTS[cluster.key][bool(wish.gpus)]
    needed = "SLURM_ARRAY_TASK_ID" if wish.array else "SLURM_JOB_ID"
    return text + part("head", cluster, needed=needed, file=file) + part(environment, cluster) + "\n" + _run(
        plan, python)


def _directives(plan: Plan) -> list[str]:
    cluster, wish, request = plan.cluster, plan.wish, plan.request
    options = [f"job-name={wish.name}"]
    if cluster.slurm_cluster:
        options.append(f"clusters={cluster.slurm_cluster}")
    options.append(f"partition={plan.partition.name}")
    if wish.array:
        options.append(f"array={wish.array}")
    options += [f"nodes={wish.nodes}", f"ntasks-per-node={request.tasks_per_node}",
                f"cpus-per-task={request.cpus_per_task}"]
    if wish.gpus and cluster.gpus:
        options.append(cluster.gpus.request(wish.gpus, wish.nodes).removeprefix("--"))
    if plan.memory:
        options.append(f"mem={plan.memory}")
    options += [f"time={clock(request.hours or 0)}", f"output={LOGS}/%x_{'%A_%a' if wish.array else '%j'}.out",
                "open-mode=append"]
    if wish.kind is Kind.REQUEUE:
        options += ["requeue", f"signal=B:USR1@{SAVE_SECONDS}"]
    return ["#!/bin/bash", *(f"#SBATCH --{option}" for option in options)]


def login(cluster: Cluster, partition: Partition) -> str:
    """The login node for a partition: some clusters have one for each kind of node."""
    return cluster.facts.get("gpu.host" if partition.gpu else "cpu.host", cluster.facts.get("host", ""))


def _how(plan: Plan, file: str, host: str) -> tuple[str, ...]:
    """How to submit it, and from where."""
    where = f" on {host}" if host else ""
    if plan.wish.kind is Kind.SMALLEST:
        return (f"Submit{where}: mkdir -p {LOGS} && sbatch {file}",)
    more = '--array=1-"$(grep -c "" grid.txt)"%4 ' if plan.wish.kind is Kind.GRID else ""
    return (f"Submit{where + ',' if where else ''} from the folder that holds train.py:",
            f"mkdir -p {LOGS} && sbatch {more}{file} train")


def _run(plan: Plan, python: str) -> str:
    cluster, wish = plan.cluster, plan.wish
    match wish.kind:
        case Kind.RANKS:
            network = part("network", cluster) + "\n" if wish.nodes > 1 and "gpu.network" in cluster.facts else ""
            return network + part("ranks", cluster, python=python)
        case Kind.GRID:
            return part("line", cluster) + part("resume", cluster, run="line", python=python, last='"${words[@]}"')
        case Kind.SEEDS:
            return part("resume", cluster, run="seed", python=python, last='--seed "$SLURM_ARRAY_TASK_ID"')
        case Kind.REQUEUE:
            return part("requeue", cluster, python=python)
    return part("single", cluster, python=python)
