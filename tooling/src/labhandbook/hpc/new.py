"""`handbook job new`: writes a script that passes the check, with the smallest partition that fits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labhandbook.errors import HandbookError
from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.cost import price
from labhandbook.hpc.limits import fits, problems
from labhandbook.hpc.request import Request, Unreadable, array, clock, gib, hours, shape
from labhandbook.hpc.templates import ENVIRONMENTS, HEAD, RUN
from labhandbook.words import hint

NAME = re.compile(r"^[A-Za-z0-9][\w.-]*$")
SECTION = "sec-hpc-workflow-script"
LOGS = "slurm_log"


@dataclass(frozen=True)
class Wish:
    """What somebody wants a job for; "" and 0 leave the choice to the cluster's numbers."""

    name: str = "run"
    partition: str = ""
    nodes: int = 1
    cores: int = 0
    gpus: int = 0
    memory: str = ""
    time: str = "00:30:00"
    array: str = ""


def _fail(what: str, todo: str) -> HandbookError:
    return HandbookError(what, todo=todo, section=SECTION)


def write(cluster: Cluster, wish: Wish, file: str) -> str:
    """The text of a job script. Raises HandbookError when no partition takes such a job."""
    if cluster.retired or cluster.key not in ENVIRONMENTS:
        raise _fail(f"{cluster.name} runs no jobs any more",
                    f"name another cluster; {cluster.replaced_by} replaced it")
    if not NAME.match(wish.name):
        raise _fail(f'"{wish.name}" can\'t be a job\'s name', "use letters, digits, dots and dashes")
    request = _request(cluster, wish)
    partition = _partition(cluster, wish, request)
    return _text(cluster, wish, request, partition, file)


def _request(cluster: Cluster, wish: Wish) -> Request:
    try:
        time = hours(wish.time)
        memory = gib(wish.memory) if wish.memory else None
        tasks = array(wish.array) if wish.array else 1
    except Unreadable as error:
        raise _fail(str(error), "write it so and run the command again") from None
    gpus = cluster.gpus
    cores = wish.cores or (max(1, (gpus.cores_each or 2) * wish.gpus) if gpus and wish.gpus else 1)
    if wish.gpus and gpus is None:
        raise _fail(f"{cluster.name} has no GPUs that the handbook knows", "leave --gpus out")
    if memory is None and cluster.scheme != "none":
        memory = None if wish.gpus else _share(cluster, cores)
    return Request(nodes=(wish.nodes, wish.nodes), tasks_per_node=1, cpus_per_task=cores, mem=memory,
                   gpus_per_node=wish.gpus, hours=time, array=tasks)


def _share(cluster: Cluster, cores: int) -> float:
    """The memory that goes with some cores on a node for CPU work, at most 2 GiB each."""
    nodes = next(each.nodes for each in cluster.partitions.values() if not each.gpu)
    return max(1, int(min(2.0, nodes.memory_gib / nodes.cores if nodes.cores else 2.0) * cores))


def _partition(cluster: Cluster, wish: Wish, request: Request) -> Partition:
    """The partition that was named, or the cheapest that takes the job; of several the first."""
    if wish.partition:
        if wish.partition not in cluster.partitions:
            raise _fail(f"{cluster.name} has no partition {wish.partition}{hint(wish.partition, cluster.partitions)}",
                        f"name one of: {', '.join(cluster.partitions)}")
        named = cluster.partitions[wish.partition]
        if broken := next(problems(request, named, cluster), None):
            raise _fail(broken.message, "ask for less, or leave --partition out")
        return named
    kind = [each for each in cluster.partitions.values() if each.gpu == bool(wish.gpus)]
    fitting = [each for each in kind if each.everyday and fits(request, each, cluster)]
    if not fitting:
        widest = max((each for each in kind if each.everyday), key=lambda each: (each.max_nodes, each.hours))
        broken = next(problems(request, widest, cluster), None)
        raise _fail(f"no partition of {cluster.name} takes this job: "
                    f"{broken.message if broken else 'all need a permit'}", "ask for less; handbook job new --help")

    def worth(each: Partition) -> float:
        bill = price(cluster, each, shape(request, each), request.hours or 1)
        return bill.amount if bill else 0.0

    return min(fitting, key=worth)


def _text(cluster: Cluster, wish: Wish, request: Request, partition: Partition, file: str) -> str:
    tasks = bool(wish.array)
    lines = ["#!/bin/bash", f"#SBATCH --job-name={wish.name}"]
    if cluster.slurm_cluster:
        lines.append(f"#SBATCH --clusters={cluster.slurm_cluster}")
    lines.append(f"#SBATCH --partition={partition.name}")
    if tasks:
        lines.append(f"#SBATCH --array={wish.array}")
    lines += [f"#SBATCH --nodes={wish.nodes}", "#SBATCH --ntasks-per-node=1",
              f"#SBATCH --cpus-per-task={request.cpus_per_task}"]
    if wish.gpus and cluster.gpus:
        lines.append(f"#SBATCH {cluster.gpus.request(wish.gpus)}")
    if memory := _memory(cluster, wish, request):
        lines.append(f"#SBATCH --mem={memory}")
    lines += [f"#SBATCH --time={clock(request.hours or 0)}",
              f"#SBATCH --output={LOGS}/%x_{'%A_%a' if tasks else '%j'}.out", "#SBATCH --open-mode=append", ""]
    needed = "SLURM_ARRAY_TASK_ID" if tasks else "SLURM_JOB_ID"
    environment, python = ENVIRONMENTS[cluster.key][bool(wish.gpus)]
    lines += [f"# {cluster.name}. Submit from the folder that holds train.py:",
              f"# mkdir -p {LOGS} && sbatch {file} train"]
    run = RUN.format(python=python, more=' --seed "$SLURM_ARRAY_TASK_ID"' if tasks else "")
    return "\n".join(lines) + "\n\n" + HEAD.format(needed=needed, file=file) + environment + "\n# Run\n" + run


def _memory(cluster: Cluster, wish: Wish, request: Request) -> str:
    """What --mem says: as wished, a fair share where it has to be said, "" where it comes with the GPU."""
    if wish.memory:
        return wish.memory
    gpus = cluster.gpus
    if wish.gpus and gpus and gpus.gib_each:
        return "" if cluster.scheme == "units" else f"{int(gpus.gib_each * wish.gpus)}G"
    return f"{int(request.mem)}G" if request.mem else f"{4 * request.cpus_per_task}G"


