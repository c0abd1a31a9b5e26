"""`handbook job cost`: the price of a script's request and the way to a cheaper one, for people and machines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labhandbook.core.errors import HandbookError
from labhandbook.hpc import job_script
from labhandbook.hpc.clusters import Cluster, Clusters
from labhandbook.hpc.cost import Offer, cheaper, offer
from labhandbook.hpc.job_request import Unreadable, read_request
from labhandbook.hpc.partition_limits import problems

SECTION = "sec-hpc-workflow-cost"


@dataclass(frozen=True)
class Bill:
    """What a script costs at most, and cheaper requests, dearer ones first."""

    file: str
    cluster: Cluster
    asked: Offer
    cheaper: list[Offer]

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
            lines += [f"{each.price} with {each.change}", f"    {each.price.how}"]
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
        raise HandbookError(str(error), where=script.file, todo="handbook job check names the line",
                            section="sec-hpc-workflow-check") from None
    cluster = clusters.get(name) if name else _owner(clusters, request.partition, script)
    partition = cluster.partitions.get(request.partition)
    if partition is None:
        raise HandbookError(cluster.unknown(request.partition)[0], section="sec-hpc-workflow-partition",
                            where=script.file, todo=f"name one of: {', '.join(cluster.partitions)}")
    if broken := next((each for each in problems(request, partition, cluster) if not each.soft), None):
        raise HandbookError(f"the job can't start: {broken.message}", where=script.file,
                            todo="mend that first: handbook job check", section="sec-hpc-workflow-check")
    asked = offer(cluster, request, partition)
    if asked is None:
        raise HandbookError(f"{cluster.name} bills nothing that the handbook knows of", where=script.file,
                            todo="ask for no more than you need all the same: others wait", section=SECTION)
    return Bill(script.file, cluster, asked, cheaper(cluster, request, asked))


def _owner(clusters: Clusters, partition: str, script: job_script.Script) -> Cluster:
    """The one cluster that has the partition."""
    having = [cluster for cluster in clusters.known.values() if partition in (*cluster.partitions, *cluster.others)]
    if len(having) != 1:
        told = " and ".join(cluster.name for cluster in having) or "no cluster"
        what = f"{told} {'have' if len(having) > 1 else 'has'} the partition {partition}"
        raise HandbookError(what if partition else "the script names no partition",
                            where=script.file, todo="say which cluster: --cluster lumi", section=SECTION)
    return having[0]
