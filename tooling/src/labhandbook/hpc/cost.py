"""`handbook job cost`: the price of a script in its cluster's billing units, and cheaper requests for the work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, inf
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.hpc import job_script
from labhandbook.hpc.clusters import Cluster, Clusters, Partition
from labhandbook.hpc.job_request import Request, Shape, Unreadable, gib, read_request, shape
from labhandbook.hpc.partition_limits import amount, fits, plural, problems

SECTION = "sec-hpc-workflow-cost"
SLICE = ("cores-per-slice", "memory-gb-per-slice", "gpu-hours-per-slice-hour")


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

    @property
    def way(self) -> str:
        """How to get it, for the end of a sentence."""
        return self.change if self.change.startswith("without ") else f"with {self.change}"

    def as_json(self) -> dict[str, object]:
        """The same facts for machines."""
        return {"partition": self.partition.name, "amount": self.price.amount, "unit": self.price.unit,
                "how": self.price.how, "change": self.change}


def price(cluster: Cluster, partition: Partition, got: Shape, hours: float) -> Price | None:
    """The price of a job that runs for so many hours; None where nothing is billed."""
    return SCHEMES[cluster.scheme](cluster, partition, got, hours) if cluster.scheme else None


def _disk(cluster: Cluster, request_gib: int, nodes: int, hours: float) -> tuple[float, str]:
    """What a reserved disk costs beside the rest, and how that comes about."""
    rate = cluster.billing.get("disk-bu-per-gib-hour", 0.0)
    if not rate or not request_gib:
        return 0.0, ""
    gib = request_gib * nodes
    return rate * gib * hours, f" + {amount(rate)} x {gib} GiB of disk x {amount(hours)} h"


def _slices(cluster: Cluster, partition: Partition, got: Shape, hours: float) -> Price:
    """Whole nodes, or the largest of cores, memory and GPUs in slices of a node."""
    rates, time = cluster.billing, f"{amount(hours)} h"
    cores, gib, gpus = got.nodes * got.cores, got.nodes * (got.gib or 0), got.nodes * got.gpus
    if partition.exclusive and not partition.by_memory:
        rate, unit = ((rates["gpu-hours-per-node-hour"], cluster.gpu_unit) if partition.gpu
                      else (rates["core-hours-per-node-hour"], cluster.cpu_unit))
        return Price(got.nodes * rate * hours, unit, f"{plural(got.nodes, 'whole node')} x {amount(rate)} x {time}")
    if partition.gpu:
        own = partition.slice_price
        of_cores, of_memory, rate = ((partition.slice_cores, partition.slice_gb, own) if own else
                                     tuple(rates[name] for name in SLICE))
        counted, unit = ("GPU", cluster.cpu_unit) if own else (cluster.unit, cluster.gpu_unit)
        by_cores, by_memory = ceil(cores / of_cores), ceil(gib / of_memory)
        how = (f"max({cores} cores / {amount(of_cores)} = {by_cores}, {amount(gib)} GB / {amount(of_memory)} = "
               f"{by_memory}, {plural(gpus, counted)}) x {amount(rate)} x {time}")
        return Price(max(by_cores, by_memory, gpus) * rate * hours, unit, how)
    by_memory = ceil(gib / rates["memory-gb-per-core"])
    return Price(max(cores, by_memory) * hours, cluster.cpu_unit,
                 f"max({plural(cores, 'core')}, {amount(gib)} GB / {amount(rates['memory-gb-per-core'])} = "
                 f"{by_memory}) x {time}")


def _units(cluster: Cluster, partition: Partition, got: Shape, hours: float) -> Price:
    """GPUs, whole nodes, or the dearer of cores and memory."""
    rates, time = cluster.billing, f"{amount(hours)} h"
    cores, gib, gpus = got.nodes * got.cores, got.nodes * (got.gib or 0), got.nodes * got.gpus
    if partition.gpu:
        rate = rates["gpu-bu-per-gpu-hour"]
        return Price(gpus * rate * hours, cluster.gpu_unit, f"{plural(gpus, cluster.unit)} x {amount(rate)} x {time}")
    if partition.exclusive:
        rate = rates["cpu-bu-per-node-hour"]
        return Price(got.nodes * rate * hours, cluster.cpu_unit,
                     f"{plural(got.nodes, 'whole node')} x {amount(rate)} x {time}")
    core = partition.core_price or rates["cpu-bu-per-core-hour"]
    memory = partition.gib_price or rates["cpu-bu-per-gib-hour"]
    return Price(max(core * cores, memory * gib) * hours, cluster.cpu_unit,
                 f"max({amount(core)} x {plural(cores, 'core')}, {amount(memory)} x {amount(gib)} GiB) x {time}")


SCHEMES = {"slices": _slices, "units": _units}


def offer(cluster: Cluster, request: Request, partition: Partition, change: str = "") -> Offer | None:
    """A request with its price; None where nothing is billed."""
    hours = request.hours if request.hours not in (None, inf) else partition.hours
    if not hours:
        return None
    got = shape(request, partition)
    found = price(cluster, partition, got, hours)
    if found is None:
        return None
    disk, how = _disk(cluster, request.disk_gib, got.nodes, hours)
    found = Price(found.amount + disk, found.unit, found.how + how)
    if request.array > 1:
        found = Price(found.amount * request.array, found.unit, f"{request.array} tasks x {found.how}" if not how
                      else f"{request.array} tasks x ({found.how})")
    return Offer(partition, request, found, change)


def cheaper(cluster: Cluster, request: Request, asked: Offer) -> list[Offer]:
    """Requests that give the program the same GPUs, memory and disk for less, dearer ones first.

    Each is the best of its kind: the same request in another partition, then with the cores of a fair share. A
    request that names nodes or features of nodes gets no offer: other nodes may lack them.
    """
    if request.pinned:
        return []
    steps = []
    whole = asked.partition.exclusive or request.exclusive
    least = asked.price.amount
    for change, trimmed in _variants(cluster, request):
        found = [made for partition in cluster.partitions.values()
                 if partition.gpu == request.wants_gpus and partition.everyday
                 and (not request.disk_gib or partition.disk_gb >= request.disk_gib)
                 and fits(same := _same_memory(cluster, trimmed, partition) if whole else trimmed, partition, cluster)
                 and (made := offer(cluster, same, partition, _changes(asked, partition, change, same)))]
        best = min(found, key=lambda each: each.price.amount, default=None)
        if best and best.price.amount < least:
            least = best.price.amount
            steps.append(best)
    return steps


def _same_memory(cluster: Cluster, request: Request, partition: Partition) -> Request:
    """A request without --mem that came with the memory of whole nodes, naming a fair share of it."""
    got, gpus, nodes = shape(request, partition), cluster.gpus, partition.nodes
    if got.gib is not None or partition.exclusive or (request.wants_gpus and gpus and gpus.memory_included):
        return request
    share = gpus.gib_each * got.gpus if gpus and request.wants_gpus else (
        nodes.memory_gib / nodes.cores * got.cores if nodes.cores else 0)
    return replace(request, mem=float(ceil(share)) or None)


def _changes(asked: Offer, partition: Partition, change: str, request: Request) -> str:
    words = [f"--partition={partition.name}"] if partition.name != asked.partition.name else []
    words += [f"--mem={request.mem:.0f}G"] if request.mem and request.mem != asked.request.mem else []
    return " ".join([*words, change]).strip()


def _variants(cluster: Cluster, request: Request) -> Iterator[tuple[str, Request]]:
    """The request itself without needless whole nodes, and with a fair share of cores for its GPUs."""
    plain = replace(request, exclusive=False)
    yield ("without --exclusive" if request.exclusive else ""), plain
    gpus = cluster.gpus
    if gpus and gpus.cores_each and request.wants_gpus:
        per_task = request.gpus_per_task or max(1, (request.gpus_per_node or request.gpus_total)
                                                // (request.tasks_per_node or request.tasks or 1))
        share = gpus.cores_each * per_task
        if request.cpus_per_task > share:
            change = f"--cpus-per-task={share}" + " without --exclusive" * request.exclusive
            yield change, replace(plain, cpus_per_task=share)


def storage(cluster: Cluster, size: str, area: str, days: float) -> Price:
    """The price of keeping some data in a storage area. Raises HandbookError where it has no price."""
    try:
        held = gib(size) / 1024
    except Unreadable as error:
        raise HandbookError(str(error), todo="write it as 500G or 2T", section=SECTION) from None
    rates = {name.removeprefix("billing."): text for name, text in cluster.facts.items()
             if name.startswith("billing.")}
    units = {"TiB": f"{area}-bu-per-tib-hour", "TB": f"{area}-rate"}
    found = [(unit, float(rates[name])) for unit, name in units.items() if name in rates]
    if not found:
        areas = sorted({name.removesuffix(end) for name in rates for end in ("-bu-per-tib-hour", "-rate")
                        if name.endswith(end)})
        raise HandbookError(f"{cluster.name} has no price for {area} in the handbook", section=SECTION,
                            todo=f"name one of: {', '.join(areas)}" if areas else "look at its guide")
    unit, rate = found[0]
    return Price(rate * held * 24 * days, rates["storage-unit"],
                 f"{amount(rate)} x {amount(held)} {unit} x {amount(24 * days)} h")


@dataclass(frozen=True)
class Bill:
    """What a script costs at most, and cheaper requests, dearer ones first; `account` is the project it names."""

    file: str
    cluster: Cluster
    asked: Offer
    cheaper: list[Offer]
    account: str = ""

    def as_json(self) -> dict[str, object]:
        """The same facts for machines."""
        return {"file": self.file, "cluster": self.cluster.key, "asked": self.asked.as_json(),
                "cheaper": [each.as_json() for each in self.cheaper]}

    def as_text(self) -> str:
        """The price, how it comes about, and the same for each cheaper request."""
        asked = self.asked
        lines = [f"{self.file}: at most {asked.price} on {self.cluster.name} {asked.partition.name}",
                 f"    {asked.price.how}"]
        for each in self.cheaper:
            lines += [f"{each.price} {each.way}", f"    {each.price.how}"]
        if not self.cheaper:
            lines.append("No other request gives the program the same for less.")
        lines.append("A job is billed for the time it runs, which may be less than --time.")
        return "\n".join(lines) + "\n"


def bill(path: Path, clusters: Clusters, name: str | None) -> Bill:
    """The bill of a script.

    Raises HandbookError when it can't be read, can't start, or its cluster is unknown or bills nothing.
    """
    script = job_script.read(path)
    try:
        request = read_request(script)
    except Unreadable as error:
        raise HandbookError(str(error), where=script.file, todo="correct it; handbook job check shows the line",
                            section="sec-hpc-workflow-check") from None
    cluster = clusters.get(name) if name else _owner(clusters, request.partition, script)
    partition = cluster.partitions.get(request.partition)
    if partition is None:
        raise HandbookError(cluster.unknown(request.partition)[0], section="sec-hpc-workflow-partition",
                            where=script.file, todo=f"name one of: {', '.join(cluster.partitions)}")
    if broken := next((each for each in problems(request, partition, cluster) if not each.soft), None):
        raise HandbookError(f"the job can't start: {broken.message}", where=script.file,
                            todo="correct that first; handbook job check shows the line",
                            section="sec-hpc-workflow-check")
    asked = offer(cluster, request, partition)
    if asked is None:
        raise HandbookError(f"{cluster.name} has no price list in the handbook", where=script.file,
                            todo="ask for no more than you need anyway: others wait for it", section=SECTION)
    return Bill(script.file, cluster, asked, cheaper(cluster, request, asked), script.value("account"))


def _owner(clusters: Clusters, partition: str, script: job_script.Script) -> Cluster:
    """The one cluster that has the partition."""
    having = [cluster for cluster in clusters.known.values() if partition in (*cluster.partitions, *cluster.others)]
    if len(having) != 1:
        names = " and ".join(cluster.name for cluster in having) or "no cluster"
        what = f"{names} {'have' if len(having) > 1 else 'has'} the partition {partition}"
        keys = ", ".join(cluster.key for cluster in having or clusters.running)
        raise HandbookError(what if partition else "the script names no partition", where=script.file,
                            todo=f"add --cluster with one of: {keys}", section=SECTION)
    return having[0]
