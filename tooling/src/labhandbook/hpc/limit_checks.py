"""Rules for what a script requests: the limits of its partition, and of the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.core.rules import UNVERIFIED, WARNING, At
from labhandbook.hpc.job_rules import JOBS, PARTITION, SCRIPT, Job
from labhandbook.hpc.partition_limits import GPU_OPTIONS, Limit, problems


@JOBS.rule("HPC010", "The cluster still runs jobs", section="sec-systems-retired",
           why="A system that was switched off runs nothing.", fix="Move the job to the system that replaced it.")
def retired(job: Job) -> Iterator[At]:
    """A cluster that was switched off."""
    if job.cluster.retired:
        yield At(f"{job.cluster.name} was switched off on {job.cluster.retired}; {job.cluster.replaced_by} has "
                 "replaced it")


@JOBS.rule("HPC011", "The cluster has the partition that the script names", section=PARTITION,
           why="Slurm refuses a job without a partition or with one that the cluster does not have.",
           fix="Name a partition of this cluster.", source="sbatch: Invalid partition name specified")
def partition(job: Job) -> Iterator[At]:
    """A partition that the cluster does not have."""
    if job.cluster.retired or job.request is None:
        return
    known = job.cluster.partitions
    if not job.request.partitions:
        yield At(f"no partition is named; {job.cluster.name} has {', '.join(known)}")
    line = job.script.line("partition")
    for name in job.request.partitions:
        if name not in known:
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
                    yield At(problem.message, line=job.script.line(*problem.options))


@JOBS.rule("HPC012", "The time limit is within the partition's", section=PARTITION,
           why="Slurm refuses the job, or leaves it waiting with PartitionTimeLimit.",
           fix="Ask for less time and continue from checkpoints, or take a partition with a longer limit.",
           source="sbatch: Requested time limit is invalid")
def time(job: Job) -> Iterator[At]:
    """More time than the partition gives."""
    return _beyond(job, Limit.TIME)


@JOBS.rule("HPC013", "A job script sets a time limit", section=PARTITION, severity=WARNING,
           why="Without --time the partition's default holds, which may be minutes or days.",
           fix="Add --time=hours:minutes:seconds, a little above what a test run took.")
def no_time(job: Job) -> Iterator[At]:
    """No time limit at all."""
    if not job.script.option("time"):
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
           fix="Ask for at most the GPUs of a node on each node, in a partition that has GPUs.",
           source="sbatch: Requested node configuration is not available")
def gpus(job: Job) -> Iterator[At]:
    """More GPUs than a node has."""
    return _beyond(job, Limit.GPUS)


@JOBS.rule("HPC018", "GPUs are requested by the name that the cluster gives them", section=SCRIPT,
           why="Slurm refuses the job, or gives another number of GPUs than you meant.",
           fix="Ask as the message says.", source="sbatch: Invalid generic resource (gres) specification")
def gpu_name(job: Job) -> Iterator[At]:
    """GPUs of a type that the cluster does not have, and other resources that it does not have."""
    if job.request is None or job.cluster.retired:
        return
    has = job.cluster.gpus
    line = job.script.line(*GPU_OPTIONS)
    for kind in job.request.gpu_types:
        if has and has.complete and kind != has.type:
            yield At(f"{job.cluster.name} has no GPUs of type {kind}: write {has.request(1)}", line=line)
    for name in job.request.other_gres:
        yield At(f"{job.cluster.name} has no resource {name} to request: leave it out", line=job.script.line("gres"))
    if job.request.gpu_types and len(set(job.request.gpu_types)) < len(
            [name for name in GPU_OPTIONS if job.script.option(name)]):
        yield At("GPUs are requested with and without their type: write one option", line=line)


@JOBS.rule("HPC019", "A job keeps to the cluster's limits for one job and one account", section=PARTITION,
           why="The cluster refuses the job when it is submitted, or leaves it waiting with a QOS reason.",
           fix="Ask for a number that the partition allows.", source="squeue: QOSMaxGRESPerJob, and the like")
def share(job: Job) -> Iterator[At]:
    """Limits that the cluster keeps for a job or an account."""
    return _beyond(job, Limit.SHARE, Limit.GPUS, soft=True)


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
