"""`handbook job choices`: what to run and for how long, with partition, request, price and command on each cluster.

The page of systems includes the table as `_choices.qmd`. Requests and prices are those of `job new` and `job cost`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil

from labhandbook.core.errors import HandbookError
from labhandbook.hpc.clusters import Cluster, Clusters
from labhandbook.hpc.cost import Offer, offer
from labhandbook.hpc.job_request import clock, shape
from labhandbook.hpc.new_job import Kind, Plan, Wish, plan
from labhandbook.hpc.partition_limits import amount, plural

FILE = "chapters/hpc/_choices.qmd"
HEAD = ("What you run", "For", "On", "You get", "It costs at most", "Command")
WIDTHS = (14, 9, 8, 22, 17, 30)
TIMES = (("an hour", 1), ("a day", 24), ("three days", 72))


def _node_gpus(cluster: Cluster) -> int:
    return max(each.nodes.gpus for each in cluster.partitions.values())


# What is run, and the wish for it on a cluster.
WORKS: tuple[tuple[str, Callable[[Cluster], Wish]], ...] = (
    ("one GPU", lambda _: Wish(gpus=1)),
    ("all GPUs of a node", lambda cluster: Wish(kind=Kind.RANKS, gpus=_node_gpus(cluster))),
    ("all GPUs of two nodes", lambda cluster: Wish(kind=Kind.RANKS, gpus=_node_gpus(cluster), nodes=2)),
    ("one core", lambda _: Wish(cores=1)),
    ("16 cores", lambda _: Wish(cores=16)),
    ("100 runs of one core", lambda _: Wish(cores=1, runs=100)),
)


@dataclass(frozen=True)
class Choice:
    """A row: what is run, for how long in words, the plan and its price; a long job may take several `pieces`."""

    what: str
    time: str
    plan: Plan
    offer: Offer
    pieces: int = 1

    @property
    def price(self) -> str:
        """The price of all pieces."""
        return f"{self.pieces} x {self.offer.price}" if self.pieces > 1 else str(self.offer.price)

    @property
    def command(self) -> str:
        """The command that writes the job script."""
        wish = self.plan.wish
        options = [("kind", "" if wish.kind in (Kind.SINGLE, Kind.GRID) else wish.kind),
                   ("nodes", wish.nodes if wish.nodes > 1 else 0), ("gpus", wish.gpus), ("cores", wish.cores),
                   ("grid", f"seed=0:{wish.runs}" if wish.runs else ""), ("time", wish.time)]
        return f"handbook job new job.sh --cluster {self.plan.cluster.key} " + " ".join(
            f"--{name} {value}" for name, value in options if value)

    @property
    def gets(self) -> str:
        """The partition and what the job gets there."""
        cluster, partition = self.plan.cluster, self.plan.partition
        got, gpus = shape(self.plan.request, partition), cluster.gpus
        memory = got.gib or (gpus.gib_each * got.gpus if gpus else 0)
        size = [plural(got.gpus, cluster.unit)] * bool(got.gpus)
        size += [plural(got.cores, "core"), f"{amount(memory)} GiB"]
        each = f"{got.nodes} nodes, each " if got.nodes > 1 else f"{plural(self.plan.wish.runs, 'task')}, each " if (
            self.plan.wish.runs) else ""
        words = f"`{partition.name}`: {each}{', '.join(size)}"
        return words if self.pieces == 1 else (
            f"{words}; it saves and starts again, because no job may take longer than {partition.limit}")


def choices(clusters: Clusters) -> Iterator[Choice]:
    """Every row: each work and time, on each cluster whose limits and prices are known and that takes it."""
    priced = [each for each in clusters.running if each.scheme]
    for what, wish in WORKS:
        for time, hours in TIMES:
            for cluster in priced:
                if found := _choice(cluster, what, time, wish(cluster), hours):
                    yield found


def _choice(cluster: Cluster, what: str, time: str, wish: Wish, hours: float) -> Choice | None:
    """The job in one piece or, where it saves and starts again, in the longest pieces that a partition takes."""
    pieces = [(1, replace(wish, time=clock(hours)))]
    if wish.kind is Kind.SINGLE:
        limits = sorted({each.hours for each in cluster.partitions.values() if 1 < each.hours < hours}, reverse=True)
        pieces += [(ceil(hours / limit), replace(wish, kind=Kind.REQUEUE, time=clock(limit))) for limit in limits]
    for count, wanted in pieces:
        try:
            planned = plan(cluster, wanted)
        except HandbookError:
            continue
        made = offer(cluster, planned.request, planned.partition)
        return Choice(what, time, planned, made, count) if made else None
    return None


def table(clusters: Clusters) -> str:
    """All rows as a table of Markdown."""
    rows = [(each.what, each.time, each.plan.cluster.name, each.gets, each.price, f"`{each.command}`")
            for each in choices(clusters)]
    lines = [HEAD, tuple("-" * width for width in WIDTHS), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
