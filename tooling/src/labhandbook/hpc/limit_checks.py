"""Rules for what a script requests: the limits of its partition, and of the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from labhandbook.core.rules import UNVERIFIED, WARNING, At
from labhandbook.hpc.clusters import Cluster
from labhandbook.hpc.job_rules import JOBS, PARTITION, SCRIPT, Job
from labhandbook.hpc.partition_limits import GPU_OPTIONS, Limit, problems


@JOBS.rule("HPC010", "The cluster still runs jobs", section="sec-systems-retired",
           why="A system that was switched off runs nothing.", fix="Move the job to the system that replaced it.")
def retired(job: Job) -> Iterator[At]:
    """A cluster that was switched off."""
    if job.cluster.retired:
        yield At(f"{job.cluster.name} was switched off on {job.cluster.retired}; {job.cluster.replaced_by} has "
                 f"replaced it{_moved(job, job.cluster.successor)}")


def _moved(job: Job, to: Cluster | None) -> str:
    """What the script's partition, GPUs, disk and modules are on the system that replaced the cluster."""
    if to is None or job.request is None:
        return ""
    words = [f"-p {name} is -p {now}" for name in job.request.partitions
             if (now := to.former.get(name, name)) in to.partitions]
    asked = job.request.gpus_per_node or job.request.gpus_total or job.request.gpus_per_task
    words += [f"GPUs are {to.gpus.request(asked)}"] if asked and to.gpus else []
    if "nvme" in job.request.other_gres and to.jobs.scratch_variable:
        words.append(f"${to.jobs.scratch_variable} replaces --gres=nvme and $LOCAL_SCRATCH")
    loaded = {name for _, text in job.script.commands for name in re.findall(r"\bmodule\s+load\s+([\w-]+)", text)}
    words += [f"module {name} is {to.modules[name]}" for name in sorted(loaded & to.modules.keys())]
    return f": there {', '.join(words)}" if words else ""


@JOBS.rule("HPC011", "The cluster has the partition that the script names", section=PARTITION,
           why="Slurm refuses a job without a partition or with one that the cluster does not have.",
           fix="Name a partition of this cluster.", source="sbatch: Invalid partition name specified")
def partition(job: Job) -> Iterator[At]:
    """A partition that the cluster does not have."""
    if job.cluster.retired or job.request is None:
        return
    known = job.cluster.partitions
    if not job.request.partitions and not (job.script.submits and not job.script.options):
        yield At(f"no partition is named; {job.cluster.name} has {', '.join(known)}",
                 severity=UNVERIFIED if job.cluster.jobs.default_partition else None,
                 fix="Add --partition to the script, or give it to sbatch.")
    line = job.script.line("partition")
    for name in job.request.partitions:
        if name not in known and not re.search(r"[<$]|^\.\.\.$", name):
            message, may_exist = job.cluster.unknown(name)
            if may_exist:
                yield At(message, line=line, severity=UNVERIFIED)
            else:
                stop = "" if message.endswith("?") else "."
                yield At(f"{message}{stop} It has {', '.join(known)}", line=line)


def _beyond(job: Job, *limits: Limit, soft: bool = False) -> Iterator[At]:
    """The limits of these kinds that the request breaks, in each of its partitions."""
    for name in job.request.partitions if job.request else ():
        if job.request and name in job.cluster.partitions:
            for problem in problems(job.request, job.cluster.partitions[name], job.cluster):
                if problem.limit in limits and problem.soft is soft:
                    yield At(problem.message, line=job.script.line(*problem.options),
                             severity=UNVERIFIED if problem.unsure else None)


@JOBS.rule("HPC012", "The time limit is within the partition's", section=PARTITION,
           why="Slurm refuses the job, or leaves it waiting with PartitionTimeLimit.",
           fix="Ask for less time and continue from checkpoints, or take a partition with a longer limit.",
           source="sbatch: Requested time limit is invalid")
def time(job: Job) -> Iterator[At]:
    """More time than the partition gives."""
    return _beyond(job, Limit.TIME)


@JOBS.rule("HPC013", "A job script sets a time limit", section=PARTITION, severity=WARNING,
           why="Without --time the partition's default applies, which may be minutes or days.",
           fix="Add --time=hours:minutes:seconds, a little above what a test run took.")
def no_time(job: Job) -> Iterator[At]:
    """No time limit at all."""
    if not job.script.option("time") and not (job.script.submits and not job.script.options):
        yield At("the script has no --time")


@JOBS.rule("HPC014", "The number of nodes is within the partition's limits", section=PARTITION,
           why="Slurm refuses the job.", fix="Ask for a number of nodes that the partition gives.",
           source="sbatch: Node count specification invalid")
def nodes(job: Job) -> Iterator[At]:
    """More or fewer nodes than the partition gives."""
    return _beyond(job, Limit.NODES)


@JOBS.rule("HPC015", "The cores fit on the partition's nodes", section=PARTITION, why="Slurm refuses the job.",
           fix="Ask for fewer cores or tasks on a node, or for more nodes.",
           source="sbatch: Requested node configuration is not available")
def cores(job: Job) -> Iterator[At]:
    """More cores than a node has."""
    return _beyond(job, Limit.CORES)


@JOBS.rule("HPC016", "The memory fits on the partition's nodes", section=PARTITION, why="Slurm refuses the job.",
           fix="Ask for less memory on a node, or spread the work over more nodes.",
           source="sbatch: Memory required by task is not available")
def memory(job: Job) -> Iterator[At]:
    """More memory than a node has."""
    return _beyond(job, Limit.MEMORY)


@JOBS.rule("HPC017", "The GPUs fit on the partition's nodes", section=PARTITION, why="Slurm refuses the job.",
           fix="Ask for no more GPUs on each node than a node has, in a partition that has GPUs.",
           source="sbatch: Requested node configuration is not available")
def gpus(job: Job) -> Iterator[At]:
    """More GPUs than a node has."""
    return _beyond(job, Limit.GPUS)


@JOBS.rule("HPC018", "GPUs are requested by the name that the cluster gives them", section=SCRIPT,
           why="Slurm refuses the job, or gives another number of GPUs than you meant.",
           fix="Write the request that the message gives.",
           source="sbatch: Invalid generic resource (gres) specification")
def gpu_name(job: Job) -> Iterator[At]:
    """GPUs of a type that the cluster does not have, and other resources that it does not have."""
    request, has = job.request, job.cluster.gpus
    if request is None or any(name not in job.cluster.partitions for name in request.partitions):
        return  # what a partition has that is not described is not known either
    line = job.script.line(*GPU_OPTIONS)
    asked = request.gpus_per_node or request.gpus_total or request.gpus_per_task or 1
    for kind in request.gpu_types:
        if has and has.complete and kind != has.type:
            yield At(f"{job.cluster.name} has no GPUs of type {kind}: write {has.request(asked)}", line=line)
    for name in request.other_gres:
        yield from _other(job, name)
    if request.gpu_types and len(set(request.gpu_types)) < len(
            [name for name in GPU_OPTIONS if job.script.option(name)]):
        yield At("GPUs are requested with and without their type: write one option", line=line)


def _other(job: Job, name: str) -> Iterator[At]:
    """A resource that is no GPU: a reserved disk where the partition has one, or none that the cluster has."""
    line = job.script.line("gres")
    if job.partition and name == "nvme" and job.partition.disk_gb:
        return
    free = job.cluster.jobs.scratch_variable
    if name == "nvme" and free:
        yield At(f"{job.cluster.name} {job.partition.name if job.partition else ''} has no nvme to reserve: use "
                 f"${free}, which every job has", line=line, fix="Leave it out.")
    elif job.cluster.gpus and not job.cluster.gpus.complete:
        yield At(f"the handbook does not know whether {job.cluster.name} has a resource {name}", line=line,
                 severity=UNVERIFIED, fix="sinfo -o %G lists what the nodes have.")
    else:
        yield At(f"{job.cluster.name} has no resource {name} to request: leave it out", line=line)


@JOBS.rule("HPC019", "A job keeps to the cluster's limits for one job and one account", section=PARTITION,
           why="The cluster refuses the job when it is submitted, or leaves it waiting with a QOS reason.",
           fix="Ask for a number that the partition allows.", source="squeue: QOSMaxGRESPerJob, and the like")
def share(job: Job) -> Iterator[At]:
    """Limits that the cluster keeps for a job or an account; a GPU partition without GPUs is likely a mistake."""
    yield from _beyond(job, Limit.SHARE, soft=True)
    if any("--gpus" in text or "--gres" in text for _, text in job.script.commands):
        return
    for at in _beyond(job, Limit.GPUS, soft=True):
        yield replace(at, severity=WARNING)


@JOBS.rule("HPC020", "The project has the permit that the partition needs", section=PARTITION, severity=WARNING,
           why="The partition is open only to projects that have shown that their program scales.",
           fix="Apply to the cluster's support first, or take another partition.")
def permit(job: Job) -> Iterator[At]:
    """A partition that has to be applied for."""
    if job.partition and job.partition.needs:
        yield At(f"{job.cluster.name} {job.partition.name} needs {job.partition.needs} first",
                 line=job.script.line("partition"))


@JOBS.rule("HPC021", "An array has no more tasks than one account may submit", section="sec-hpc-workflow-array",
           why="Each task counts as a job: Slurm refuses the array.",
           fix="Give one task several runs, or submit the array in parts.",
           source="Slurm: AssocMaxSubmitJobLimit, QOSMaxSubmitJobPerUserLimit")
def array_size(job: Job) -> Iterator[At]:
    """More tasks than one may submit."""
    if job.request and job.partition and job.partition.max_jobs and job.request.array > job.partition.max_jobs:
        yield At(f"{job.request.array} tasks, and {job.cluster.name} {job.partition.name} takes "
                 f"{job.partition.max_jobs} jobs of one account", line=job.script.line("array"))
