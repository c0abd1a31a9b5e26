"""The handbook's job scripts: a file for each kind of job and cluster, written from `clusters.yml`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labhandbook.core.errors import HandbookError
from labhandbook.hpc.clusters import Cluster, Clusters, Partition
from labhandbook.hpc.job_request import clock
from labhandbook.hpc.new_job import Kind, Wish, plan, refuse_retired
from labhandbook.hpc.script_text import find_part, login, part, script

HALF_AN_HOUR = 0.5
WORDS = {1: "one", 2: "two", 4: "four", 8: "eight"}
UNCONFIRMED = "Nobody has confirmed yet that {} takes such jobs: ask a lab member, and run it small first."
# What is run on cores alone, with what the script says of itself.
ON_CORES = (
    (Wish("smallest", Kind.SMALLEST, cores=1, memory="500M", time="00:05:00"), "cpu-smallest.sh",
     "One core for a few seconds, on {}: shows that project, partition and log folder work."),
    (Wish("seeds", Kind.SEEDS, cores=1, memory="2G", time="00:15:00"), "array-seeds.sh",
     "Five seeds, at most two at a time, one core each, on {}. Each run gets its own --seed and RUN_DIR."),
    (Wish("grid", Kind.GRID, cores=1, memory="2G", time="00:15:00"), "array-grid.sh",
     "One run for each line of grid.txt, which holds the options of that run, on {}."),
)
LONG = ("for a run that is longer than its time limit: five minutes before the end it saves and starts again.",
        "Your program has to save its state when it gets SIGTERM, and to continue from that state when it starts.")


@dataclass(frozen=True)
class Recipe:
    """A job script of the handbook: its file, the clusters it is for (written from the first's numbers), what it says
    of itself and what it requests."""

    file: str
    clusters: tuple[str, ...]
    notes: tuple[str, ...]
    wish: Wish


def recipes(clusters: Clusters) -> list[Recipe]:
    """The batch scripts of every cluster that runs jobs: for cores, some shared by clusters, then for GPUs."""
    with_cores = [each for each in clusters.running if _has(each, gpu=False)]
    shared = [each for each in with_cores if each.jobs.shared_scripts]
    groups = [("", shared)] if shared else []
    groups += [(f"{each.key}-", [each]) for each in with_cores if each not in shared]
    found = [Recipe(prefix + file, tuple(each.key for each in group),
                    (says.format(" or ".join(each.jobs.place or each.name for each in group)),), wish)
             for wish, file, says in ON_CORES for prefix, group in groups]
    for cluster in clusters.running:
        found += _on_gpus(cluster) if _has(cluster, gpu=True) else []
    return found


def _has(cluster: Cluster, *, gpu: bool) -> bool:
    """Whether it has a partition of this kind for everyday jobs, and the facts describe its GPUs."""
    return (not gpu or cluster.gpus is not None) and any(
        each.gpu is gpu and each.everyday for each in cluster.partitions.values())


def _on_gpus(cluster: Cluster) -> Iterator[Recipe]:
    """One GPU, a full node, two nodes, and a run that is longer than its time limit."""
    unit, memory = cluster.unit, cluster.jobs.gpu_memory
    whole = max(each.nodes.gpus for each in cluster.partitions.values() if each.gpu)

    def recipe(wish: Wish, *notes: str) -> Recipe:
        notes = (f"{cluster.name}, {notes[0]}", *notes[1:])
        return Recipe(f"{cluster.key}-{wish.name}.sh", (cluster.key,), notes, wish)

    yield recipe(Wish("one-gpu", gpus=1, memory=memory), f"one {unit}.")
    if whole > 1:
        yield recipe(Wish("full-node", Kind.RANKS, gpus=whole), f"all {WORDS.get(whole, whole)} {unit}s of a node.")
    unconfirmed = [] if cluster.jobs.confirmed else [UNCONFIRMED.format(cluster.name)]
    if two := _two_nodes(cluster, whole):
        yield recipe(two, _about_two_nodes(cluster, two.gpus, whole), *unconfirmed)
    yield recipe(Wish("requeue", Kind.REQUEUE, gpus=1, memory=memory),
                 f"one {unit}, {LONG[0]}", LONG[1], *unconfirmed)


def _two_nodes(cluster: Cluster, whole: int) -> Wish | None:
    """The largest request for two nodes that a partition takes; None when there is none."""
    count = whole or 1
    while count:
        wish = Wish("several-nodes", Kind.RANKS, nodes=2, gpus=count, memory=cluster.jobs.gpu_memory * (count == 1))
        try:
            plan(cluster, wish)
        except HandbookError:
            count //= 2
        else:
            return wish
    return None


def _about_two_nodes(cluster: Cluster, count: int, whole: int) -> str:
    """What a script for two nodes says of itself."""
    each = f"{WORDS.get(count, count)} {cluster.unit}{'s' * (count > 1)} each"
    if count == whole:
        interfaces = len(cluster.facts.get("gpu.network", "").split(","))
        return f"two whole nodes with {each}." + (
            f" The network between them is used through its {WORDS.get(interfaces, interfaces)} interfaces."
            if interfaces > 1 else "")
    larger = next((each.name for each in cluster.partitions.values() if each.gpu and each.min_gpus), "")
    return f"two nodes with {each}" + (
        f": shows that your program works across nodes. More needs {larger}." if larger else ".")


def scripts(clusters: Clusters, only: str = "") -> Iterator[tuple[str, str]]:
    """Name and text of every script of the handbook, or of those for one cluster.

    Raises HandbookError when that cluster is unknown or was switched off.
    """
    if only:
        refuse_retired(clusters.get(only))
    for recipe in recipes(clusters):
        if not only or only in recipe.clusters:
            yield recipe.file, script(plan(clusters.get(recipe.clusters[0]), recipe.wish), recipe.file, recipe.notes,
                                      host="" if len(recipe.clusters) > 1 else None)
    for cluster in clusters.running:
        if only in ("", cluster.key):
            yield "chain.sh", part("chain", cluster)
            yield f"{cluster.key}-interactive.sh", interactive(cluster, f"{cluster.key}-interactive.sh")
            setup = f"{cluster.jobs.gpu_environment or cluster.jobs.environment}-setup"
            if find_part(setup, cluster):
                yield f"{cluster.key}-setup.sh", part(setup, cluster, file=f"{cluster.key}-setup.sh")


def interactive(cluster: Cluster, file: str) -> str:
    """The script that opens a shell on a compute node: in the test partition for GPUs, or in the first there is."""
    queue = next((each for each in cluster.partitions.values() if each.gpu and each.use == "test"),
                 next(iter(cluster.partitions.values())))
    hours = min(HALF_AN_HOUR, queue.hours or HALF_AN_HOUR)
    options = [f"--partition={queue.name}", "--nodes=1", "--ntasks=1"]
    if cluster.slurm_cluster:
        options.insert(0, f"--clusters={cluster.slurm_cluster}")
    if cluster.jobs.account:
        options.insert(0, '--account="$PROJECT"')
    return part("interactive", cluster, file=file, options=" ".join(options), minutes=f"{hours * 60:.0f}",
                check=': "${PROJECT:?set it to your project}"\n' if cluster.jobs.account else "",
                size=f"{_size(cluster, queue)} --time={clock(hours)}", host=login(cluster, queue),
                what=cluster.unit if cluster.gpus and queue.gpu else "core")


def _size(cluster: Cluster, queue: Partition) -> str:
    """One GPU with its share of cores, or one core; memory where it isn't included with the GPU."""
    gpus = cluster.gpus
    if not gpus or not queue.gpu:
        return "--cpus-per-task=1 --mem=4G"
    memory = "" if gpus.memory_included else " --mem=16G"
    return f"--cpus-per-task={gpus.cores_each or 1} {gpus.request(1)}{memory}"
