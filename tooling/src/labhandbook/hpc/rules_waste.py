"""Checks of what is asked for and paid for without being used."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.hpc import rules
from labhandbook.hpc.base import Job, checks
from labhandbook.hpc.cost import cheaper, offer
from labhandbook.hpc.limits import CORE_OPTIONS, MEMORY_OPTIONS, amount, fits, plural
from labhandbook.hpc.request import shape
from labhandbook.rules import Finding

# Below this part of a fair share the data loader is likely to wait for cores.
STARVED = 1 / 7


@checks(rules.CORES_PER_GPU)
def cores_per_gpu(job: Job) -> Iterator[Finding]:
    """Cores beyond or far below the fair share of the GPUs."""
    gpus, partition = job.cluster.gpus, job.partition
    if not (job.request and partition and gpus and gpus.cores_each and job.request.wants_gpus):
        return
    got = shape(job.request, partition)
    asked = got.tasks * job.request.cpus_per_task // got.nodes or job.request.cpus_per_task
    cards = job.request.gpus_per_node or got.gpus
    fair = cards * gpus.cores_each
    if asked > fair:
        yield job.blame(rules.CORES_PER_GPU, f"{asked} cores for {plural(cards, job.unit)}: a fair share is {fair}",
                        job.script.line(*CORE_OPTIONS))
    elif asked <= fair * STARVED and job.cluster.scheme == "units":
        yield job.blame(rules.CORES_PER_GPU, f"{asked} of the {fair} cores that come with {plural(cards, job.unit)}: "
                                             f"more cost nothing", job.script.line(*CORE_OPTIONS))


@checks(rules.MEMORY_PER_GPU)
def memory_per_gpu(job: Job) -> Iterator[Finding]:
    """Memory beyond the fair share of the GPUs."""
    gpus, partition = job.cluster.gpus, job.partition
    if not (job.request and partition and gpus and gpus.gib_each and job.request.wants_gpus):
        return
    got = shape(job.request, partition)
    cards = got.gpus if partition.exclusive else job.request.gpus_per_node or got.gpus
    fair = cards * gpus.gib_each
    if got.gib and got.gib > fair:
        yield job.blame(rules.MEMORY_PER_GPU, f"{amount(got.gib)} GiB for {plural(cards, job.unit)}: a fair share is "
                                              f"{amount(fair)} GiB", job.script.line(*MEMORY_OPTIONS))


@checks(rules.WHOLE_NODES)
def whole_nodes(job: Job) -> Iterator[Finding]:
    """Whole nodes of which the script uses a part, with what that costs."""
    request, partition = job.request, job.partition
    if not (request and partition and partition.nodes.cores and fits(request, partition, job.cluster)):
        return
    if not (partition.exclusive or request.exclusive):
        return
    got, whole = shape(request, partition), partition.nodes
    used = got.tasks * request.cpus_per_task
    cards = request.gpus_total or request.gpus_per_node * got.nodes or request.gpus_per_task * got.tasks
    if partition.gpu:
        wasted = cards < whole.gpus * got.nodes
        told = f"{cards} of {whole.gpus * got.nodes} {job.unit}s"
    else:
        wasted = used * 2 <= whole.cores * got.nodes and (got.gib or 0) * 2 <= whole.memory_gib
        told = f"{used} of {whole.cores * got.nodes} cores"
    if not wasted:
        return
    message = f"{told} used on {plural(got.nodes, 'whole node')}"
    asked = offer(job.cluster, request, partition)
    less = cheaper(job.cluster, request, asked) if asked else []
    if asked is None:
        return
    message += f": {asked.price}" + (f", and {less[-1].price} with {less[-1].change}" if less else "")
    yield job.blame(rules.WHOLE_NODES, message, job.script.line("partition" if partition.exclusive else "exclusive"))
