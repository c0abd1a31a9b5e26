"""Checks of what is asked for and paid for without being used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labhandbook.core.rules import Finding
from labhandbook.hpc import job_rules
from labhandbook.hpc.clusters import Gpus, Partition
from labhandbook.hpc.cost import cheaper, offer
from labhandbook.hpc.job_request import Request, Shape, shape
from labhandbook.hpc.partition_limits import CORE_OPTIONS, MEMORY_OPTIONS, amount, fits, plural
from labhandbook.hpc.script_checks import JOBS, Job

# Below this part of a fair share the data loader is likely to wait for cores.
STARVED = 1 / 7


@dataclass(frozen=True)
class Cards:
    """The GPUs that a job gets, on a cluster that has told the fair share of a node for each."""

    gpus: Gpus
    request: Request
    partition: Partition
    got: Shape

    @property
    def asked(self) -> int:
        """How many GPUs it uses on each node."""
        return self.request.gpus_per_node or self.got.gpus


def cards(job: Job) -> Cards | None:
    """The GPUs of a job; None when it asks for none, or nobody has told what a fair share is."""
    gpus, request, partition = job.cluster.gpus, job.request, job.partition
    if gpus and gpus.cores_each and gpus.gib_each and request and request.wants_gpus and partition:
        return Cards(gpus, request, partition, shape(request, partition))
    return None


@JOBS.finds(job_rules.CORES_PER_GPU)
def cores_per_gpu(job: Job) -> Iterator[Finding]:
    """Cores beyond or far below the fair share of the GPUs."""
    if not (has := cards(job)):
        return
    per_task = has.request.cpus_per_task
    asked, fair = has.got.tasks * per_task // has.got.nodes or per_task, has.asked * has.gpus.cores_each
    line, count = job.script.line(*CORE_OPTIONS), plural(has.asked, job.unit)
    if asked > fair:
        yield job.blame(job_rules.CORES_PER_GPU, f"{asked} cores for {count}: a fair share is {fair}", line)
    elif asked <= fair * STARVED and job.cluster.scheme == "units":
        yield job.blame(job_rules.CORES_PER_GPU,
                        f"{asked} of the {fair} cores that come with {count}: more cost nothing",
                        line)


@JOBS.finds(job_rules.MEMORY_PER_GPU)
def memory_per_gpu(job: Job) -> Iterator[Finding]:
    """Memory beyond the fair share of the GPUs; whole nodes come with all of theirs."""
    if not (has := cards(job)) or not has.got.gib:
        return
    count = has.got.gpus if has.partition.exclusive else has.asked
    fair = count * has.gpus.gib_each
    if has.got.gib > fair:
        told = f"{amount(has.got.gib)} GiB for {plural(count, job.unit)}: a fair share is {amount(fair)} GiB"
        yield job.blame(job_rules.MEMORY_PER_GPU, told, job.script.line(*MEMORY_OPTIONS))


@JOBS.finds(job_rules.WHOLE_NODES)
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
    yield job.blame(job_rules.WHOLE_NODES, message,
                    job.script.line("partition" if partition.exclusive else "exclusive"))
