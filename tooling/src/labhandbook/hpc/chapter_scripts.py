"""The handbook's job scripts: a file for each kind of job and cluster, written from `clusters.yml`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labhandbook.hpc.clusters import Cluster, Clusters, Partition
from labhandbook.hpc.job_request import clock
from labhandbook.hpc.new_job import Kind, Wish, living, plan
from labhandbook.hpc.script_parts import part
from labhandbook.hpc.script_text import login, script

HALF_AN_HOUR = 0.5


@dataclass(frozen=True)
class Recipe:
    """A job script of the handbook: its file, the clusters it is for (written from the first's numbers), what it says
    of itself and what it asks for."""

    file: str
    clusters: tuple[str, ...]
    notes: tuple[str, ...]
    wish: Wish


SHARED = ("lumi", "roihu")
WORKS = "shows that project, partition and log folder work."
FIVE = "Five seeds, at most two at a time, one core each, on"
EACH = "Each run gets its own --seed and RUN_DIR."
LINES = "One run for each line of grid.txt, which holds the options of that run, on"
LONG = ("for a run that is longer than its time limit: five minutes before the end it saves and starts again.",
        "Your program has to save its state when it gets SIGTERM, and to go on from that state when it starts.")
UNTRIED = "Nobody has confirmed yet that Turso takes such jobs: ask a lab member, and run it small first."

SMALLEST = Wish("smallest", Kind.SMALLEST, cores=1, memory="500M", time="00:05:00")
SEEDS = Wish("seeds", Kind.SEEDS, cores=1, memory="2G", time="00:15:00")
GRID = Wish("grid", Kind.GRID, cores=1, memory="2G", time="00:15:00")

RECIPES = (
    Recipe("cpu-smallest.sh", SHARED, (f"One core for a few seconds, on LUMI or Roihu-CPU: {WORKS}",), SMALLEST),
    Recipe("turso-cpu-smallest.sh", ("turso",), (f"One core for a few seconds, on Ukko of Turso: {WORKS}",),
           SMALLEST),
    Recipe("lumi-one-gpu.sh", ("lumi",), ("LUMI, one GCD.",), Wish("one-gpu", gpus=1, memory="32G")),
    Recipe("roihu-one-gpu.sh", ("roihu",), ("Roihu, one GPU.",), Wish("one-gpu", gpus=1)),
    Recipe("turso-one-gpu.sh", ("turso",), ("Turso, one GPU of Ukko.",), Wish("one-gpu", gpus=1, memory="16G")),
    Recipe("lumi-full-node.sh", ("lumi",), ("LUMI, all eight GCDs of a node.",),
           Wish("full-node", Kind.RANKS, gpus=8)),
    Recipe("roihu-full-node.sh", ("roihu",), ("Roihu, all four GPUs of a node.",),
           Wish("full-node", Kind.RANKS, gpus=4)),
    Recipe("lumi-several-nodes.sh", ("lumi",), (
        "LUMI, two whole nodes with eight GCDs each. The network between them is used through its four interfaces.",),
        Wish("several-nodes", Kind.RANKS, nodes=2, gpus=8)),
    Recipe("roihu-several-nodes.sh", ("roihu",), (
        "Roihu, two nodes with two GPUs each: shows that your program works across nodes. More needs gpularge.",),
        Wish("several-nodes", Kind.RANKS, nodes=2, gpus=2)),
    Recipe("turso-several-nodes.sh", ("turso",), ("Turso, two nodes of Ukko with one GPU each.", UNTRIED),
           Wish("several-nodes", Kind.RANKS, nodes=2, gpus=1, memory="16G")),
    Recipe("array-seeds.sh", SHARED, (f"{FIVE} LUMI or Roihu-CPU. {EACH}",), SEEDS),
    Recipe("turso-array-seeds.sh", ("turso",), (f"{FIVE} Ukko of Turso. {EACH}",), SEEDS),
    Recipe("array-grid.sh", SHARED, (f"{LINES} LUMI or Roihu-CPU.",), GRID),
    Recipe("turso-array-grid.sh", ("turso",), (f"{LINES} Ukko of Turso.",), GRID),
    Recipe("lumi-requeue.sh", ("lumi",), (f"LUMI, one GCD, {LONG[0]}", LONG[1]),
           Wish("requeue", Kind.REQUEUE, gpus=1, memory="32G")),
    Recipe("roihu-requeue.sh", ("roihu",), (f"Roihu, one GPU, {LONG[0]}", LONG[1]),
           Wish("requeue", Kind.REQUEUE, gpus=1)),
    Recipe("turso-requeue.sh", ("turso",), (f"Turso, one GPU, {LONG[0]}", LONG[1], UNTRIED),
           Wish("requeue", Kind.REQUEUE, gpus=1, memory="16G")),
)


def scripts(clusters: Clusters, only: str = "") -> Iterator[tuple[str, str]]:
    """Name and text of every script of the handbook, or of those for one cluster.

    Raises HandbookError when that cluster is unknown or was switched off.
    """
    if only:
        living(clusters.get(only))
    for recipe in RECIPES:
        if not only or only in recipe.clusters:
            yield recipe.file, script(plan(clusters.get(recipe.clusters[0]), recipe.wish), recipe.file, recipe.notes,
                                      host="" if len(recipe.clusters) > 1 else None)
    yield "chain.sh", part("chain", clusters.get(only or SHARED[0]))
    for cluster in clusters.known.values():
        if not cluster.retired and only in ("", cluster.key):
            for name in ("interactive", "setup"):
                file = f"{cluster.key}-{name}.sh"
                yield file, interactive(cluster, file) if name == "interactive" else part(
                    f"{cluster.key}-setup", cluster, file=file)


def interactive(cluster: Cluster, file: str) -> str:
    """The script that opens a shell on a compute node: in the test partition for GPUs, or in the first there is."""
    queue = next((each for each in cluster.partitions.values() if each.gpu and each.use == "test"),
                 next(iter(cluster.partitions.values())))
    hours = min(HALF_AN_HOUR, queue.hours or HALF_AN_HOUR)
    options = [f"--partition={queue.name}", "--nodes=1", "--ntasks=1"]
    check = ""
    if cluster.slurm_cluster:
        options.insert(0, f"--clusters={cluster.slurm_cluster}")
    if cluster.scheme != "none":
        options.insert(0, '--account="$PROJECT"')
        check = ': "${PROJECT:?set PROJECT to the name of your project}"\n'
    return part("interactive", cluster, file=file, check=check, options=" ".join(options),
                size=f"{_size(cluster, queue)} --time={clock(hours)}", minutes=f"{hours * 60:.0f}",
                host=login(cluster, queue),
                what=cluster.gpus.unit if cluster.gpus and queue.gpu else "core")


def _size(cluster: Cluster, queue: Partition) -> str:
    """One GPU with its share of cores, or one core; memory where it doesn't come with the GPU."""
    gpus = cluster.gpus
    if not gpus or not queue.gpu:
        return "--cpus-per-task=1 --mem=4G"
    memory = "" if cluster.scheme == "units" else " --mem=16G"
    return f"--cpus-per-task={gpus.cores_each or 1} {gpus.request(1)}{memory}"
