"""`handbook job new`: writes a script that passes the check, with the smallest partition that fits."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

from labhandbook.core.errors import HandbookError
from labhandbook.core.wording import hint
from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.cost import price
from labhandbook.hpc.job_request import Request, Unreadable, array, clock, gib, hours, shape
from labhandbook.hpc.partition_limits import fits, plural, problems
from labhandbook.hpc.sweep import packed

NAME = re.compile(r"^[A-Za-z0-9][\w.-]*$")
SECTION = "sec-hpc-workflow-script"
# The script saves this many seconds before its time is up; less than two of these is no time to run.
SAVE_SECONDS = 300
# What a script requests where the facts do not say: cores for a GPU, memory for a core.
USUAL_CORES, USUAL_GIB = 2, 4


class Kind(StrEnum):
    """What a script does: the chapter of job scripts explains each."""

    SINGLE = "single"
    RANKS = "ranks"
    TORCHRUN = "torchrun"
    SEEDS = "seeds"
    GRID = "grid"
    REQUEUE = "requeue"
    SMALLEST = "smallest"


TASKS = {Kind.SEEDS: "0-4%2", Kind.GRID: "1-4%2"}


@dataclass(frozen=True)
class Wish:
    """What a job is to get; "" and 0 leave the choice to the cluster's numbers. `cores` are a node's.

    A sweep has `runs`, of which a task carries out `pack`; its `array` is "" or `%` and how many tasks run at once.
    """

    name: str = "run"
    kind: Kind = Kind.SINGLE
    partition: str = ""
    nodes: int = 1
    cores: int = 0
    gpus: int = 0
    memory: str = ""
    time: str = "00:30:00"
    array: str = ""
    runs: int = 0
    pack: int = 0


@dataclass(frozen=True)
class Plan:
    """A wish that a partition grants. `memory` is what --mem says, "" where it comes with the GPU."""

    cluster: Cluster
    wish: Wish
    request: Request
    partition: Partition
    memory: str


def _fail(what: str, todo: str) -> HandbookError:
    return HandbookError(what, todo=todo, section=SECTION)


def plan(cluster: Cluster, wish: Wish) -> Plan:
    """The request for a wish. Raises HandbookError when no partition takes such a job."""
    refuse_retired(cluster)
    if not NAME.match(wish.name):
        raise _fail(f'"{wish.name}" can\'t be a job\'s name', "use letters, digits, dots and dashes")
    wish = _settled(_sweep(cluster, wish) if wish.runs else wish)
    request = _request(cluster, wish)
    partition = _partition(cluster, wish, request)
    if partition.max_jobs and request.array > partition.max_jobs:
        raise _fail(f"{request.array} tasks, and {cluster.name} {partition.name} takes {partition.max_jobs} jobs of "
                    "one account", "let one task do several runs, or submit the array in parts")
    return Plan(cluster, wish, request, partition, _memory(cluster, wish, request))


def refuse_retired(cluster: Cluster) -> None:
    """Raise HandbookError when a cluster was switched off."""
    if cluster.retired:
        raise _fail(f"{cluster.name} runs no jobs any more",
                    f"name another cluster; {cluster.replaced_by} replaced it")


def _sweep(cluster: Cluster, wish: Wish) -> Wish:
    """The wish for a sweep with its array, which has no more tasks than an account may submit."""
    if wish.array and not re.fullmatch(r"%[1-9]\d{0,5}", wish.array):
        raise _fail(f"{wish.array} is no array of a sweep", "write how many tasks run at once, as --array %20")
    once = replace(wish, kind=Kind.GRID, array="1", runs=0)
    partition = plan(cluster, once).partition
    pack = packed(wish.runs, partition.max_jobs, wish.pack)
    return replace(once, runs=wish.runs, pack=pack, array=f"1-{ceil(wish.runs / pack)}{wish.array}")


def _settled(wish: Wish) -> Wish:
    """The wish with its kind and its array agreeing: an array of a single program is one over seeds."""
    kind = Kind.SEEDS if wish.array and wish.kind is Kind.SINGLE else wish.kind
    if wish.array and kind not in TASKS:
        raise _fail(f"a script of the kind {kind} is no array", f"leave --array out, or write --kind {Kind.SEEDS}")
    return replace(wish, kind=kind, array=wish.array or TASKS.get(kind, ""))


def _request(cluster: Cluster, wish: Wish) -> Request:
    try:
        time = hours(wish.time)
        memory = gib(wish.memory) if wish.memory else None
        tasks = array(wish.array) if wish.array else 1
    except Unreadable as error:
        raise _fail(str(error), "correct it and run the command again") from None
    gpus = cluster.gpus
    if wish.gpus and gpus is None:
        raise _fail(f"{cluster.name} has no GPUs that the handbook knows", "leave --gpus out")
    if wish.kind in (Kind.RANKS, Kind.TORCHRUN) and not wish.gpus:
        raise _fail("one process for each GPU needs GPUs", "add --gpus, or leave --kind out")
    if wish.kind is Kind.REQUEUE and time * 3600 < 2 * SAVE_SECONDS:
        raise _fail(f"{clock(time)} is too short to save {plural(SAVE_SECONDS / 60, 'minute')} before the end",
                    f"ask for {clock(SAVE_SECONDS / 1800)} or more, or leave --kind out")
    cores = wish.cores or max(1, ((gpus.cores_each if gpus else 0) or USUAL_CORES) * wish.gpus)
    ranks = wish.gpus if wish.kind is Kind.RANKS else 1
    if cores % ranks:
        raise _fail(f"{plural(cores, 'core')} can't be shared by {ranks} processes", "ask for a multiple of --gpus")
    if memory is None and not wish.gpus:
        memory = _share(cluster, cores)
    return Request(nodes=(wish.nodes, wish.nodes), tasks_per_node=ranks, cpus_per_task=cores // ranks, mem=memory,
                   gpus_per_node=wish.gpus, hours=time, array=tasks)


def _share(cluster: Cluster, cores: int) -> float | None:
    """The memory that goes with some cores for CPU work, at most 2 GiB each; None where no node is described."""
    nodes = next((each.nodes for each in cluster.partitions.values() if not each.gpu and each.nodes.cores), None)
    return max(1, int(min(2.0, nodes.memory_gib / nodes.cores) * cores)) if nodes else None


def _memory(cluster: Cluster, wish: Wish, request: Request) -> str:
    """What --mem says: as wished, a fair share where one must ask for it, "" where it is included with the GPU."""
    if wish.memory:
        return wish.memory
    gpus = cluster.gpus
    if wish.gpus and gpus and gpus.memory_included:
        return ""
    if wish.gpus and gpus and gpus.gib_each:
        return f"{int(gpus.gib_each * wish.gpus)}G"
    cores = request.cpus_per_task * (request.tasks_per_node or 1)
    return f"{int(request.mem)}G" if request.mem else f"{USUAL_GIB * cores}G"


def _partition(cluster: Cluster, wish: Wish, request: Request) -> Partition:
    """The partition that was named, or the cheapest that takes the job; at one price one that gives whole nodes."""
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
        widest = max((each for each in kind if each.everyday), key=lambda each: (each.max_nodes, each.hours),
                     default=None)
        broken = next(problems(request, widest, cluster), None) if widest else None
        why = broken.message if broken else f"it has none for everyday {'GPU' if wish.gpus else 'CPU'} jobs"
        raise _fail(f"no partition of {cluster.name} takes this job: {why}",
                    "ask for less, or name a partition; see handbook job new --help")

    def worth(each: Partition) -> tuple[float, bool]:
        bill = price(cluster, each, shape(request, each), request.hours or 1)
        return (bill.amount if bill else 0.0), not each.exclusive

    return min(fitting, key=worth)
