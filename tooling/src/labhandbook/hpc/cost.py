"""What a job costs in its cluster's billing units, and the cheaper request that does the same work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, inf

from labhandbook.core.errors import HandbookError
from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.job_request import Request, Shape, shape
from labhandbook.hpc.partition_limits import amount, fits, plural


@dataclass(frozen=True)
class Price:
    """A price, its unit and how it comes about."""

    amount: float
    unit: str
    how: str

    def __str__(self) -> str:
        return f"{amount(self.amount)} {self.unit}"


@dataclass(frozen=True)
class Offer:
    """A request in a partition with its price; `change` says what differs from the script."""

    partition: Partition
    request: Request
    price: Price
    change: str = ""

    def as_json(self) -> dict[str, object]:
        """The same facts for machines."""
        return {"partition": self.partition.name, "amount": self.price.amount, "unit": self.price.unit,
                "how": self.price.how, "change": self.change}


def price(cluster: Cluster, partition: Partition, got: Shape, hours: float) -> Price | None:
    """The price of a job that runs for so many hours; None where nothing is billed."""
    if cluster.scheme == "slices":
        return _slices(cluster, partition, got, hours)
    if cluster.scheme == "units":
        return _units(cluster, partition, got, hours)
    return None


def _slices(cluster: Cluster, partition: Partition, got: Shape, hours: float) -> Price:
    """LUMI: whole nodes, or the largest of cores, memory and GCDs in slices."""
    rates, time = cluster.billing, f"{amount(hours)} h"
    cores, gib, cards = got.nodes * got.cores, got.nodes * (got.gib or 0), got.nodes * got.gpus
    if partition.exclusive:
        rate, unit = ((rates["gpu-hours-per-node-hour"], cluster.gpu_unit) if partition.gpu
                      else (rates["core-hours-per-node-hour"], cluster.cpu_unit))
        return Price(got.nodes * rate * hours, unit, f"{plural(got.nodes, 'whole node')} x {amount(rate)} x {time}")
    if partition.gpu:
        by_cores, by_memory = ceil(cores / rates["cores-per-slice"]), ceil(gib / rates["memory-gb-per-slice"])
        rate = rates["gpu-hours-per-slice-hour"]
        how = (f"max({cores} cores / {amount(rates['cores-per-slice'])} = {by_cores}, {amount(gib)} GB / "
               f"{amount(rates['memory-gb-per-slice'])} = {by_memory}, {plural(cards, 'GCD')}) "
               f"x {amount(rate)} x {time}")
        return Price(max(by_cores, by_memory, cards) * rate * hours, cluster.gpu_unit, how)
    by_memory = ceil(gib / rates["memory-gb-per-core"])
    return Price(max(cores, by_memory) * hours, cluster.cpu_unit,
                 f"max({plural(cores, 'core')}, {amount(gib)} GB / {amount(rates['memory-gb-per-core'])} = "
                 f"{by_memory}) x {time}")


def _units(cluster: Cluster, partition: Partition, got: Shape, hours: float) -> Price:
    """Roihu: GPUs, whole nodes, or the dearer of cores and memory."""
    rates, time = cluster.billing, f"{amount(hours)} h"
    cores, gib, cards = got.nodes * got.cores, got.nodes * (got.gib or 0), got.nodes * got.gpus
    if partition.gpu:
        rate = rates["gpu-bu-per-gpu-hour"]
        return Price(cards * rate * hours, cluster.gpu_unit, f"{plural(cards, 'GPU')} x {amount(rate)} x {time}")
    if partition.exclusive:
        rate = rates["cpu-bu-per-node-hour"]
        return Price(got.nodes * rate * hours, cluster.cpu_unit,
                     f"{plural(got.nodes, 'whole node')} x {amount(rate)} x {time}")
    core = partition.core_price or rates["cpu-bu-per-core-hour"]
    memory = partition.gib_price or rates["cpu-bu-per-gib-hour"]
    return Price(max(core * cores, memory * gib) * hours, cluster.cpu_unit,
                 f"max({amount(core)} x {plural(cores, 'core')}, {amount(memory)} x {amount(gib)} GiB) x {time}")


def storage(cluster: Cluster, area: str, size: float, hours: float) -> float:
    """What `size` TiB (on LUMI TB) cost in an area for so many hours. Raises HandbookError when nobody knows."""
    rates = cluster.billing
    rate = rates.get(f"{area}-bu-per-tib-hour") if cluster.scheme == "units" else rates.get(f"{area}-rate")
    if rate is None:
        raise HandbookError(f"no price is known for {area} on {cluster.name}", section="sec-hpc-workflow-directory",
                            todo="see the storage areas of the cluster")
    return rate * size * hours


def offer(cluster: Cluster, request: Request, partition: Partition, change: str = "") -> Offer | None:
    """A request with its price; None where nothing is billed."""
    hours = request.hours if request.hours not in (None, inf) else partition.hours
    if not hours:
        return None
    found = price(cluster, partition, shape(request, partition), hours)
    if found is None:
        return None
    if request.array > 1:
        found = Price(found.amount * request.array, found.unit, f"{request.array} tasks x {found.how}")
    return Offer(partition, request, found, change)


def cheaper(cluster: Cluster, request: Request, asked: Offer) -> list[Offer]:
    """Requests that give the program the same GPUs and memory for less, dearer ones first.

    Each is the best of its kind: the same request in another partition, then with the cores of a fair share.
    """
    steps = []
    least = asked.price.amount
    for change, trimmed in _variants(cluster, request):
        found = [made for partition in cluster.partitions.values()
                 if partition.gpu == request.wants_gpus and partition.everyday and fits(trimmed, partition, cluster)
                 and (made := offer(cluster, trimmed, partition, _said(asked, partition, change)))]
        best = min(found, key=lambda each: each.price.amount, default=None)
        if best and best.price.amount < least:
            least = best.price.amount
            steps.append(best)
    return steps


def _said(asked: Offer, partition: Partition, change: str) -> str:
    words = [f"--partition={partition.name}"] if partition.name != asked.partition.name else []
    return " ".join([*words, change]).strip()


def _variants(cluster: Cluster, request: Request) -> Iterator[tuple[str, Request]]:
    """The request itself without needless whole nodes, and with a fair share of cores for its GPUs."""
    plain = replace(request, exclusive=False)
    yield ("" if not request.exclusive else "without --exclusive"), plain
    gpus = cluster.gpus
    if gpus and gpus.cores_each and request.wants_gpus:
        per_task = request.gpus_per_task or max(1, (request.gpus_per_node or request.gpus_total)
                                                // (request.tasks_per_node or request.tasks or 1))
        share = gpus.cores_each * per_task
        if request.cpus_per_task > share:
            yield f"--cpus-per-task={share}", replace(plain, cpus_per_task=share)
