"""`handbook job facts`: what `sinfo`, `scontrol` and `sacctmgr` of a cluster say, beside what `clusters.yml` says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import inf

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import TimeoutExpired, environment, run
from labhandbook.hpc.clusters import Cluster, Partition
from labhandbook.hpc.job_request import Unreadable, hours
from labhandbook.hpc.partition_limits import amount, plural

SECTION = "sec-contributing-facts"
SECONDS = 60

GPU = re.compile(r"\bgpu:(?:[a-z][\w.-]*:)?(\d+)")


@dataclass(frozen=True)
class Live:
    """A partition as Slurm describes it, by the names of `clusters.yml`; what Slurm does not say is left out."""

    name: str
    facts: dict[str, str]


def ask(cluster: Cluster) -> list[Live]:
    """The partitions of the cluster whose login node this is. Raises HandbookError when Slurm does not answer."""
    where = ["-M", cluster.slurm_cluster] if cluster.slurm_cluster else []
    shown = _answer(["scontrol", *where, "--oneliner", "show", "partition"])
    nodes = _answer(["sinfo", *where, "-h", "-o", "%R|%c|%m|%G"])
    limits = _answer(["sacctmgr", "-nP", "show", "qos", "format=Name,MaxSubmitPU"], needed=False)
    return read(shown, nodes, limits)


def _answer(words: list[str], *, needed: bool = True) -> str:
    program = shutil.which(words[0])
    if program is None:
        raise HandbookError(f"{words[0]} is not on this machine", section=SECTION,
                            todo="run this on the cluster's login node")
    try:
        done = run([program, *words[1:]], env=environment(names=("SLURM_CONF", "SLURM_CLUSTERS")), timeout=SECONDS)
    except TimeoutExpired:
        raise HandbookError(f"{words[0]} gave no answer within {SECONDS} s", section=SECTION,
                            todo="try again when the cluster is less busy") from None
    if done.returncode and needed:
        raise HandbookError(f"{words[0]} failed: {done.stderr.strip()}", section=SECTION,
                            todo="run this on the login node of the cluster that you named")
    return done.stdout if not done.returncode else ""


def read(shown: str, nodes: str, limits: str) -> list[Live]:
    """The partitions in the answers of scontrol, sinfo and sacctmgr."""
    submits = dict(line.split("|")[:2] for line in limits.splitlines() if line.count("|") >= 1)
    found = []
    for line in shown.splitlines():
        said = dict(word.split("=", 1) for word in line.split() if "=" in word)
        if name := said.get("PartitionName"):
            rows = [row for row in (row.split("|") for row in nodes.splitlines()) if len(row) == 4 and row[0] == name]
            found.append(_live(name, said, rows, submits.get(said.get("QoS", ""), "")))
    return found


def _live(name: str, said: dict[str, str], rows: list[list[str]], most_jobs: str) -> Live:
    gpus = [int(match[1]) for row in rows for match in GPU.finditer(row[3])]
    facts = {"kind": "gpu" if gpus else "cpu",
             "exclusive": "yes" if said.get("OverSubscribe") == "EXCLUSIVE" else "no"}
    try:
        limit = hours(said.get("MaxTime", ""))
    except Unreadable:
        limit = inf
    if limit < inf:
        facts |= {"time-limit": _words(limit), "max-hours": amount(limit)}
    for key, label in (("min-nodes", "MinNodes"), ("max-nodes", "MaxNodes"), ("max-cores", "MaxCPUsPerNode")):
        if said.get(label, "").isdecimal() and int(said[label]) > (key == "min-nodes"):
            facts[key] = said[label]
    if most_jobs.isdecimal():
        facts["max-jobs"] = most_jobs
    cores = [int(number) for row in rows if (number := row[1].rstrip("+")).isdecimal()]
    memory = [int(number) // 1024 for row in rows if (number := row[2].rstrip("+")).isdecimal()]
    if cores and memory:
        most = said.get("MaxMemPerNode", "")
        facts |= {"cores-per-node": str(max(cores)),
                  "memory-gib": str(min(max(memory), int(most) // 1024 if most.isdecimal() else max(memory)))}
    if gpus:
        facts["gpus-per-node"] = str(max(gpus))
    return Live(name, facts)


def _words(limit: float) -> str:
    if limit < 1:
        return plural(round(limit * 60), "minute")
    return plural(limit / 24, "day") if limit % 24 == 0 and limit > 36 else plural(limit, "hour")


def _ours(partition: Partition) -> dict[str, str]:
    """The same facts as `clusters.yml` has them; what it does not say is left out."""
    nodes = partition.nodes
    numbers = {"max-hours": partition.hours, "min-nodes": partition.min_nodes - 1 and partition.min_nodes,
               "max-nodes": partition.max_nodes, "max-cores": partition.max_cores, "max-jobs": partition.max_jobs,
               "cores-per-node": nodes.cores, "memory-gib": partition.node_gib, "gpus-per-node": nodes.gpus}
    return {"kind": "gpu" if partition.gpu else "cpu", "exclusive": "yes" if partition.exclusive else "no",
            **{name: amount(number) for name, number in numbers.items() if number}}


def differences(cluster: Cluster, live: list[Live]) -> Iterator[tuple[str, dict[str, tuple[str, str]]]]:
    """Each partition that is new or differs: what Slurm says, and what the file says, "" where it says nothing.

    Of a partition whose limits the file does not know, all facts are new.
    """
    for each in live:
        known = cluster.partitions.get(each.name)
        ours = _ours(known) if known and known.hours else {}
        differ = {name: (value, ours.get(name, "")) for name, value in each.facts.items()
                  if name != "time-limit" and not _agree(name, value, ours.get(name, ""))}
        if "max-hours" in differ:
            differ = {"time-limit": (each.facts["time-limit"], known.limit if known else ""), **differ}
        if differ:
            yield each.name, differ


def _agree(name: str, live: str, ours: str) -> bool:
    """Whether two values are the same: a limit of cores that is the node's own limits nothing."""
    if name == "max-cores" and not ours:
        return True
    return live == ours


def change(cluster: Cluster, live: list[Live], host: str, today: date) -> str:
    """The lines to put into `clusters.yml`, "" where nothing differs."""
    lines: list[str] = []
    for name, differ in differences(cluster, live):
        lines.append(f"    {name}:" + ("" if name in cluster.partitions else "   # new"))
        for fact, (value, ours) in differ.items():
            text = value if re.fullmatch(r"[\d.]+", value) else f'"{value}"'
            lines.append(f"      {fact}: {text}" + (f"   # was {ours}" if ours else ""))
    gone = sorted(cluster.partitions.keys() - {each.name for each in live})
    lines += [f"    # {name} is no partition here: remove it" for name in gone]
    if not lines:
        return ""
    stamp = [f"{cluster.key}:", "  partitions:",
             f'    source: "scontrol show partition, sinfo and sacctmgr on {host}"',
             f"    checked: {today.isoformat()}"]
    return "\n".join([*stamp, *lines]) + "\n"


def counted(cluster: Cluster, live: list[Live]) -> str:
    """What was compared, in a line."""
    differ = [name for name, _ in differences(cluster, live)]
    new = [name for name in differ if name not in cluster.partitions]
    return (f"{plural(len(live), 'partition')} of {cluster.name}: {len(differ) - len(new)} differ, {len(new)} new, "
            f"{len(cluster.partitions.keys() - {each.name for each in live})} gone")


