"""Rules for what is requested and paid for without being used."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.hpc.clusters import Partition
from labhandbook.hpc.cost import cheaper, offer
from labhandbook.hpc.job_request import Request, shape
from labhandbook.hpc.job_rules import COST, JOBS, Job
from labhandbook.hpc.partition_limits import CORE_OPTIONS, MEMORY_OPTIONS, amount, fits, plural

# Below this part of a fair share the data loader is likely to wait for cores.
STARVED = 1 / 7


def _with_gpus(job: Job) -> tuple[Request, Partition, int] | None:
    """A request for GPUs, its partition and the GPUs of each node; None where the facts lack the fair share."""
    gpus, request, partition = job.cluster.gpus, job.request, job.partition
    if gpus and gpus.cores_each and gpus.gib_each and request and request.wants_gpus and partition:
        return request, partition, request.gpus_per_node or shape(request, partition).gpus
    return None


@JOBS.rule("HPC030", "The cores are in proportion to the GPUs", section=COST, severity=WARNING,
           why="More than a fair share of cores blocks or bills GPUs that you don't use. With far fewer cores, the "
               "data loader is too slow.",
           fix="Ask for the fair share of cores for each GPU.")
def cores_per_gpu(job: Job) -> Iterator[At]:
    """Cores beyond or far below the fair share of the GPUs."""
    if not (found := _with_gpus(job)) or not job.cluster.gpus:
        return
    request, partition, gpus = found
    got, per_task = shape(request, partition), request.cpus_per_task
    asked, fair = got.tasks * per_task // got.nodes or per_task, gpus * job.cluster.gpus.cores_each
    line, count = job.script.line(*CORE_OPTIONS), plural(gpus, job.cluster.unit)
    if asked > fair:
        yield At(f"{asked} cores for {count}: a fair share is {fair}", line=line)
    elif asked <= fair * STARVED and job.cluster.gpus.cores_included:
        yield At(f"{asked} of the {fair} cores that come with {count}: more cost nothing", line=line)


@JOBS.rule("HPC031", "The memory is in proportion to the GPUs", section=COST, severity=WARNING,
           why="More than a fair share of memory blocks or bills GPUs that you don't use.",
           fix="Ask for the fair share of memory for each GPU, or for as many GPUs as you pay for.")
def memory_per_gpu(job: Job) -> Iterator[At]:
    """Memory beyond the fair share of the GPUs; whole nodes come with all of theirs."""
    if not (found := _with_gpus(job)) or not job.cluster.gpus:
        return
    request, partition, gpus = found
    got = shape(request, partition)
    fair = (got.gpus if partition.exclusive else gpus) * job.cluster.gpus.gib_each
    if got.gib and got.gib > fair:
        count = plural(fair / job.cluster.gpus.gib_each, job.cluster.unit)
        yield At(f"{amount(got.gib)} GiB for {count}: a fair share is {amount(fair)} GiB",
                 line=job.script.line(*MEMORY_OPTIONS))


@JOBS.rule("HPC032", "A job that gets whole nodes uses all of them", section=COST, severity=WARNING,
           why="Whole nodes are given and billed, however little of them the script uses.",
           fix="Use all of the node, or take a partition that shares nodes. A benchmark may need its own node.")
def whole_nodes(job: Job) -> Iterator[At]:
    """Whole nodes of which the script uses a part, where the same can be had for half the price or less.

    No error, because a benchmark may need a quiet node. A script that names no number of tasks or cores may use all.
    """
    request, partition = job.request, job.partition
    if not (request and partition and partition.nodes.cores and fits(request, partition, job.cluster)):
        return
    if not (partition.exclusive or request.exclusive) or (partition.gpu and not request.wants_gpus):
        return
    if not partition.gpu and not any(map(job.script.option, (*CORE_OPTIONS, *MEMORY_OPTIONS))):
        return
    asked = offer(job.cluster, request, partition)
    less = cheaper(job.cluster, request, asked) if asked else []
    if not asked or not less or less[-1].price.amount * 2 > asked.price.amount:
        return
    got, whole = shape(request, partition), partition.nodes
    gpus = request.gpus_total or request.gpus_per_node * got.nodes or request.gpus_per_task * got.tasks
    part = (f"{gpus} of {whole.gpus * got.nodes} {job.cluster.unit}s" if partition.gpu else
            f"{got.tasks * request.cpus_per_task} of {whole.cores * got.nodes} cores")
    yield At(f"{part} used on {plural(got.nodes, 'whole node')}: {asked.price}, and {less[-1].price} {less[-1].way}",
             line=job.script.line("partition" if partition.exclusive else "exclusive"))
