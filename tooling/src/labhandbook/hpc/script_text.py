"""The text of job scripts: parts of shell text, filled with a plan and with what `clusters.yml` says of a cluster."""

from __future__ import annotations

import re
from importlib.resources import files
from textwrap import wrap

from labhandbook.core.errors import HandbookError
from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.job_request import clock
from labhandbook.hpc.new_job import SAVE_SECONDS, TASKS, Kind, Plan

HOLE = re.compile(r"\{\{([\w.-]+)\}\}")
LOGS = "slurm_log"
# The characters that fit beside the chapters' code without scrolling, less the mark of a comment.
WIDTH = 71


def find_part(name: str, cluster: Cluster) -> str | None:
    """The text of a script part, of the cluster's folder or else of the package; None where there is none."""
    for folder in (cluster.parts, files(__package__) / "parts"):
        if (path := folder / f"{name}.sh").is_file():
            return path.read_text(encoding="utf-8")
    return None


def part(name: str, cluster: Cluster, **values: str) -> str:
    """A filled part: each `{{name}}` is one of `values` or the cluster's fact of this name.

    Raises HandbookError when there is no such part, or `clusters.yml` lacks the fact.
    """
    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], cluster.facts.get(match[1]))
        if found is None:
            raise HandbookError(f"{cluster.key} lacks {match[1]}", section="sec-contributing-facts",
                                why=f"its job scripts need it ({name}.sh)", todo="add it to clusters.yml")
        return found

    text = find_part(name, cluster)
    if text is None:
        raise HandbookError(f"there is no script part {name}.sh", section="sec-contributing-facts",
                            why=f"clusters.yml names it as an environment of {cluster.key}",
                            todo=f"write {cluster.parts.name}/{name}.sh beside clusters.yml, or name another part")
    return HOLE.sub(value, text)


def script(plan: Plan, file: str, notes: tuple[str, ...] = (), host: str | None = None) -> str:
    """The text of a job script.

    `file` is its name, `notes` are the lines that say what it is for, `host` says where to submit it ("" leaves that
    out; without it the cluster's login node is named).
    """
    cluster, wish = plan.cluster, plan.wish
    said = [line for note in notes or (f"{cluster.name} {plan.partition.name}.",) for line in wrap(note, WIDTH)]
    said += _how(plan, file, login(cluster, plan.partition) if host is None else host)
    text = "\n".join([*_directives(plan), "", *(f"# {line}" for line in said)]) + "\n\n"
    if wish.kind is Kind.SMALLEST:
        return text + part("smallest", cluster)
    needed = "SLURM_ARRAY_TASK_ID" if wish.array else "SLURM_JOB_ID"
    environment, python = cluster.jobs.environment, cluster.jobs.python
    if wish.gpus:
        environment, python = cluster.jobs.gpu_environment or environment, cluster.jobs.gpu_python or python
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
        return f"Submit{where}:", f"mkdir -p {LOGS} && sbatch {file}"
    first = f"Submit{where + ',' if where else ''} from the folder that holds train.py:"
    if plan.wish.kind is Kind.GRID and plan.wish.array == TASKS[Kind.GRID]:
        counted = '--array=1-"$(grep -c "" grid.txt)"%4'
        return first, f"mkdir -p {LOGS} &&", f"sbatch {counted} {file} train"
    return first, f"mkdir -p {LOGS} && sbatch {file} train"


def _near(plan: Plan) -> dict[str, str]:
    """What binds each process of a full node to the cores near its GPU, where those have another order."""
    cores = plan.cluster.facts.get("gpu.binding.cores-of-gcd", "").split()
    if not cores or plan.wish.gpus != len(cores):
        return {"near": "", "bind": ""}
    masks = [hex(sum(1 << core for core in range(int(first), int(last) + 1)))
             for first, _, last in (each.partition("-") for each in cores)]
    half = len(masks) // 2
    unit = plan.cluster.unit
    return {"near": f"# Cores near {unit} 0, near {unit} 1 and so on: process n gets the n-th.\n"
                    f"near={','.join(masks[:half])}\nnear+=,{','.join(masks[half:])}\n",
            "bind": ' --cpu-bind="mask_cpu:$near"'}


def _run(plan: Plan, python: str) -> str:
    cluster = plan.cluster
    network = part("network", cluster) + "\n" if plan.wish.nodes > 1 and "gpu.network" in cluster.facts else ""
    match plan.wish.kind:
        case Kind.RANKS:
            return network + part("ranks", cluster, python=python, unit=cluster.unit, **_near(plan))
        case Kind.TORCHRUN:
            return network + part("torchrun", cluster, python=python, unit=cluster.unit, gpus=str(plan.wish.gpus))
        case Kind.GRID if plan.wish.runs:
            return part("sweep", cluster, python=python, each=str(plan.wish.pack),
                        table=f"{plan.wish.name}.txt")
        case Kind.GRID:
            return part("line", cluster) + part("resume", cluster, run="line", python=python, words="$* $line",
                                                last='"${words[@]}"')
        case Kind.SEEDS:
            return part("resume", cluster, run="seed", python=python, words="$*",
                        last='--seed "$SLURM_ARRAY_TASK_ID"')
        case Kind.REQUEUE:
            return part("requeue", cluster, python=python)
    return part("single", cluster, python=python)
