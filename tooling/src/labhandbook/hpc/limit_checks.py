"""Checks of what a script asks for against what its partition gives."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from labhandbook.core.rules import Finding, Rule, Severity
from labhandbook.hpc import job_rules
from labhandbook.hpc.partition_limits import GPU_OPTIONS, Limit, problems
from labhandbook.hpc.script_checks import JOBS, Job


@JOBS.finds(job_rules.RETIRED)
def retired(job: Job) -> Iterator[Finding]:
    """A cluster that was switched off."""
    if job.cluster.retired:
        yield job.blame(job_rules.RETIRED, f"{job.cluster.name} ended its jobs on {job.cluster.retired}; "
                                       f"{job.cluster.replaced_by} has replaced it")


@JOBS.finds(job_rules.NO_PARTITION)
def partition(job: Job) -> Iterator[Finding]:
    """A partition that the cluster hasn't."""
    if job.cluster.retired or job.request is None:
        return
    known = job.cluster.partitions
    if not job.request.partitions:
        yield job.blame(job_rules.NO_PARTITION, f"no partition is named; {job.cluster.name} has {', '.join(known)}")
    line = job.script.line("partition")
    for name in job.request.partitions:
        if name not in known:
            told, there = job.cluster.unknown(name)
            if there:
                yield job.blame(job_rules.NO_PARTITION, told, line, Severity.UNVERIFIED)
            else:
                stop = "" if told.endswith("?") else "."
                yield job.blame(job_rules.NO_PARTITION, f"{told}{stop} It has {', '.join(known)}", line)


def broken(job: Job, rule: Rule, limits: tuple[Limit, ...], soft: bool = False) -> Iterator[Finding]:
    """The limits of these kinds that the request breaks, in each of its partitions."""
    if job.request is None:
        return
    for name in job.request.partitions:
        if name in job.cluster.partitions:
            for problem in problems(job.request, job.cluster.partitions[name], job.cluster):
                if problem.limit in limits and problem.soft is soft:
                    yield job.blame(rule, problem.message, job.script.line(*problem.options))


# What a partition gives a job: Slurm refuses more.
for rule, limit in ((job_rules.TIME, Limit.TIME), (job_rules.NODES, Limit.NODES), (job_rules.CORES, Limit.CORES),
                    (job_rules.MEMORY, Limit.MEMORY), (job_rules.GPUS, Limit.GPUS)):
    JOBS.finds(rule)(partial(broken, rule=rule, limits=(limit,)))


@JOBS.finds(job_rules.NO_TIME)
def no_time(job: Job) -> Iterator[Finding]:
    """No time limit at all."""
    if not job.script.option("time"):
        yield job.blame(job_rules.NO_TIME, "the script has no --time")


@JOBS.finds(job_rules.GPU_NAME)
def gpu_name(job: Job) -> Iterator[Finding]:
    """GPUs of a type that the cluster hasn't, and other resources that it hasn't."""
    if job.request is None or job.cluster.retired:
        return
    has = job.cluster.gpus
    line = job.script.line(*GPU_OPTIONS)
    for kind in job.request.gpu_types:
        if has and kind != has.type and job.cluster.scheme != "none":
            yield job.blame(job_rules.GPU_NAME,
                            f"{job.cluster.name} has no GPUs of type {kind}: write {has.request(1)}",
                            line)
    for name in job.request.other_gres:
        yield job.blame(job_rules.GPU_NAME, f"{job.cluster.name} has no resource {name} to ask for: leave it out",
                        job.script.line("gres"))
    if job.request.gpu_types and len(set(job.request.gpu_types)) < len(
            [name for name in GPU_OPTIONS if job.script.option(name)]):
        yield job.blame(job_rules.GPU_NAME, "GPUs are asked for with and without their type: write one option", line)


@JOBS.finds(job_rules.SHARE)
def share(job: Job) -> Iterator[Finding]:
    """Limits that the cluster keeps for a job or an account."""
    return broken(job, job_rules.SHARE, (Limit.SHARE, Limit.GPUS), soft=True)


@JOBS.finds(job_rules.PERMIT)
def permit(job: Job) -> Iterator[Finding]:
    """A partition that has to be applied for."""
    if job.partition and job.partition.needs:
        yield job.blame(job_rules.PERMIT,
                        f"{job.cluster.name} {job.partition.name} needs {job.partition.needs} first",
                        job.script.line("partition"))


@JOBS.finds(job_rules.ARRAY_SIZE)
def array_size(job: Job) -> Iterator[Finding]:
    """More tasks than one may submit."""
    if job.request and job.partition and job.partition.max_jobs and job.request.array > job.partition.max_jobs:
        yield job.blame(job_rules.ARRAY_SIZE,
                        f"{job.request.array} tasks, and {job.cluster.name} {job.partition.name} "
                                          f"takes {job.partition.max_jobs} jobs of one account",
                        job.script.line("array"))
