"""Whether a request can start in a partition: what breaks which of its limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.job_request import Request, Shape, clock, shape


class Limit(StrEnum):
    """What can be beyond a limit."""

    TIME = "time"
    NODES = "nodes"
    CORES = "cores"
    MEMORY = "memory"
    GPUS = "GPUs"
    SHARE = "share"


@dataclass(frozen=True)
class Problem:
    """A limit that a request breaks, in words, and the options that may have caused it.

    A `soft` limit is an account's, not a partition's: `sbatch --test-only` does not check it. Sources disagree about
    one that is `unsure`.
    """

    limit: Limit
    message: str
    options: tuple[str, ...]
    soft: bool = False
    unsure: bool = False


GPU_OPTIONS = ("gres", "gpus-per-node", "gpus", "gpus-per-task")
CORE_OPTIONS = ("cpus-per-task", "ntasks-per-node", "ntasks", "cpus-per-gpu")
MEMORY_OPTIONS = ("mem", "mem-per-cpu", "mem-per-gpu")


def amount(number: float) -> str:
    """A number without needless digits."""
    return f"{number:.3f}".rstrip("0").rstrip(".")


def plural(number: float, word: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{amount(number)} {word}" + ("" if number == 1 else "s")


def problems(request: Request, partition: Partition, cluster: Cluster) -> Iterator[Problem]:
    """The limits of a partition that a request breaks."""
    name = f"{cluster.name} {partition.name}"
    longest = max(partition.hours, partition.perhaps_hours)
    if request.hours is not None and longest > partition.hours and partition.hours < request.hours <= longest:
        yield Problem(Limit.TIME, f"--time is {clock(request.hours)}, and sources disagree whether {name} allows "
                                  f"more than {partition.limit}", ("time",), unsure=True)
    elif request.hours is not None and partition.hours and request.hours > longest:
        asked = "unlimited" if request.hours == inf else clock(request.hours)
        yield Problem(Limit.TIME, f"--time is {asked}, and {name} allows {partition.limit} "
                                  f"({clock(partition.hours)})", ("time",))
    if request.hours == 0:
        yield Problem(Limit.TIME, "--time is zero", ("time",))
    got = shape(request, partition)
    yield from _gpus(request, partition, got, cluster.unit, name)
    yield from _nodes(request, partition, name)
    yield from _cores(request, partition, got, name)
    yield from _memory(request, partition, got, name)


def _nodes(request: Request, partition: Partition, name: str) -> Iterator[Problem]:
    low, high = request.nodes or (0, 0)
    if request.tasks and request.nodes:
        low = min(low, max(request.tasks, 1))
    if partition.max_nodes and max(low, high) > partition.max_nodes:
        yield Problem(Limit.NODES, f"{plural(max(low, high), 'node')} requested, and {name} gives at most "
                                   f"{partition.max_nodes}", ("nodes",))
    elif low and low < partition.min_nodes:
        yield Problem(Limit.NODES, f"{plural(low, 'node')} requested, and {name} needs at least "
                                   f"{partition.min_nodes}", ("nodes",))


def _cores(request: Request, partition: Partition, got: Shape, name: str) -> Iterator[Problem]:
    most = int(min(partition.nodes.cores or inf, partition.max_cores or inf) if partition.nodes.cores
               else partition.max_cores)
    nodes, on_each = plural(got.nodes, "node"), request.cpus_per_task * (request.tasks_per_node or 1)
    whole = partition.exclusive or request.exclusive
    options: tuple[str, ...] = CORE_OPTIONS
    if most and (on_each > most or (not whole and got.cores > most)):
        cores = plural(on_each if on_each > most else got.cores, "core")
        message = f"{cores} on a node requested, and {name} gives at most {most}"
    elif request.tasks and request.tasks_per_node and got.nodes * request.tasks_per_node < request.tasks:
        message = f"{request.tasks} tasks with {request.tasks_per_node} on each node don't fit on {nodes}"
        options = ("ntasks", "ntasks-per-node")
    elif partition.max_nodes and got.nodes > partition.max_nodes >= max(request.nodes or (0,)):
        message = f"the tasks need {nodes}, and {name} gives at most {partition.max_nodes}"
        options = ("ntasks", *CORE_OPTIONS)
    elif most and got.tasks * request.cpus_per_task > most * got.nodes:
        message = (f"{got.tasks} tasks of {plural(request.cpus_per_task, 'core')} don't fit on {nodes} with {most} "
                   "cores each")
    else:
        return
    yield Problem(Limit.CORES, message, options)


def _memory(request: Request, partition: Partition, got: Shape, name: str) -> Iterator[Problem]:
    if sum(each is not None for each in (request.mem, request.mem_per_cpu, request.mem_per_gpu)) > 1:
        yield Problem(Limit.MEMORY, "of --mem, --mem-per-cpu and --mem-per-gpu only one may be given", MEMORY_OPTIONS)
    elif got.gib is not None and partition.node_gib and got.gib > partition.node_gib:
        yield Problem(Limit.MEMORY, f"{amount(got.gib)} GiB on a node requested, and {name} gives at most "
                                    f"{amount(partition.node_gib)} GiB", MEMORY_OPTIONS)


def _gpus(request: Request, partition: Partition, got: Shape, unit: str, name: str) -> Iterator[Problem]:
    def problem(message: str, limit: Limit = Limit.GPUS) -> Problem:
        return Problem(limit, message, GPU_OPTIONS, soft=limit is Limit.SHARE)

    if not request.wants_gpus:
        if partition.gpu:
            yield Problem(Limit.GPUS, f"{name} is for GPU work, and the script requests no {unit}", ("partition",),
                          soft=True)
        return
    if not partition.gpu:
        yield problem(f"{name} has no GPUs")
        return
    whole, nodes = partition.nodes.gpus, plural(got.nodes, "node")
    asked = max(request.gpus_per_node, request.gpus_per_task, got.gpus if request.gpus_total else 0,
                request.gpus_per_task * -(-got.tasks // got.nodes))
    if whole and asked > whole:
        yield problem(f"{plural(asked, unit)} on a node requested, and a node has {whole}")
        return
    total = request.gpus_total or request.gpus_per_node * got.nodes or request.gpus_per_task * got.tasks
    if request.gpus_total and request.gpus_per_node and request.gpus_total != request.gpus_per_node * got.nodes:
        yield problem(f"{request.gpus_total} {unit}s in all and {request.gpus_per_node} on each node don't fit on "
                      f"{nodes}")
    elif partition.max_nodes and got.nodes > partition.max_nodes:
        yield problem(f"{total} {unit}s need {nodes}, and {name} gives at most {partition.max_nodes}")
    if partition.max_gpus and total > partition.max_gpus:
        yield problem(f"{plural(total, unit)} requested, and {name} gives a job at most {partition.max_gpus}",
                      Limit.SHARE)
    if partition.min_gpus and total < partition.min_gpus:
        yield problem(f"{plural(total, unit)} requested, and {name} needs at least {partition.min_gpus}", Limit.SHARE)


def fits(request: Request, partition: Partition, cluster: Cluster) -> bool:
    """Whether a request breaks no limit of a partition."""
    return next(problems(request, partition, cluster), None) is None
