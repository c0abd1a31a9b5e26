"""How well a job used what it requested, from `sacct`: what `seff` shows, with advice for the next request."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import TimeoutExpired, environment, run
from labhandbook.hpc.job_request import clock
from labhandbook.hpc.partition_limits import amount, plural

FIELDS = ("JobID", "JobName", "Partition", "State", "ExitCode", "AllocCPUS", "NNodes", "NTasks", "ElapsedRaw",
          "TimelimitRaw", "TotalCPU", "MaxRSS", "ReqMem", "AllocTRES")
NEEDED = ("JobID", "State", "AllocCPUS", "ElapsedRaw", "TotalCPU", "MaxRSS")
SECTION = "sec-hpc-workflow-monitor"
LOG = re.compile(r"(?:(?:^|[/_-])(\d{1,12}))?(?:^|[/_-])(\d{1,12})\.\w+$")
JOB = re.compile(r"^\d+(?:_(?:\d+|\[[\d,%-]+\]))?$")
SIZE = re.compile(r"^([\d.]+)([KMGTP]?)B?[nc]?$", re.IGNORECASE)
UNITS = {"": 2 ** -30, "K": 2 ** -20, "M": 2 ** -10, "G": 1.0, "T": 2.0 ** 10, "P": 2.0 ** 20}
SECONDS = 120  # The accounting of a busy cluster is slow.
WELL = 0.5
MARGIN = 1.25
ENOUGH_SECONDS = 120
ENOUGH_TASKS, BARS, LONGEST_BAR = 10, 5, 40
WAITING = ("PENDING", "REQUEUED", "SUSPENDED")
UNFINISHED = (*WAITING, "RUNNING", "COMPLETING")
FAILURES = ("FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "CANCELLED")


@dataclass(frozen=True)
class Used:
    """What one job requested and used. Memory is in GiB; 0 means that the accounting doesn't know."""

    job: str
    name: str
    state: str
    exit: str
    cores: int
    nodes: int
    gpus: int
    seconds: int
    limit: int
    cpu_seconds: float
    peak: float
    memory: float

    @property
    def cpu(self) -> float:
        """The share of the cores' time that was used."""
        return self.cpu_seconds / (self.cores * self.seconds) if self.cores and self.seconds else 0.0

    @property
    def ended(self) -> bool:
        """Whether the numbers are final."""
        return self.state not in UNFINISHED

    @property
    def outgrown(self) -> bool:
        """Whether it was killed for its memory; without control groups Slurm calls such a job just failed."""
        return self.state == "OUT_OF_MEMORY" or (self.state == "FAILED" and 0 < self.memory <= self.peak)

    def as_json(self) -> dict[str, object]:
        """The same facts for machines, with the advice."""
        return {**vars(self), "cpu_share": round(self.cpu, 4), "advice": list(advice(self)),
                "memory_share": round(self.peak / self.memory, 4) if self.memory else None}


def number(word: str) -> str:
    """The job that a word names: its number, or the number in the name of its log. Raises HandbookError for others.

    Of two numbers at the end of a log's name the second is a task's if it is the smaller one, as in train_123_4.out.
    """
    if JOB.match(word):
        return word
    if log := LOG.search(word):
        return f"{log[1]}_{log[2]}" if log[1] and int(log[1]) > int(log[2]) else log[2]
    raise HandbookError(f"{word} is not a job's number", section=SECTION,
                        todo="give the number that sbatch printed, or the job's log; a task of an array is 123_4")


def ask(jobs: Sequence[str], cluster: str = "") -> str:
    """What `sacct` answers for some jobs, in one question. Raises HandbookError when it can't be asked."""
    job = ",".join(jobs)
    program = shutil.which("sacct")
    if program is None:
        raise HandbookError("sacct is not on this machine", section=SECTION,
                            why="only a cluster has the accounting",
                            todo="run this on the cluster's login node, or save sacct's answer there and give it "
                                 f"with --from:\nsacct -P -j {job} -o {','.join(FIELDS)} > job.txt")
    words = [program, *(["-M", cluster] if cluster else []), "-P", "-j", job, "-o", ",".join(FIELDS)]
    try:
        done = run(words, env=environment(names=("SLURM_CONF", "SLURM_CLUSTERS")), timeout=SECONDS)
    except TimeoutExpired:
        raise HandbookError(f"sacct gave no answer within {SECONDS} s", section=SECTION,
                            todo="try again when the accounting is less busy") from None
    if done.returncode:
        raise HandbookError(f"sacct failed: {(done.stderr or done.stdout).strip()}", section=SECTION,
                            todo="check the number; a job that was just submitted may not be known yet")
    return done.stdout


def read(text: str) -> list[Used]:
    """The jobs in an answer of `sacct -P`. Raises HandbookError when it is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    head = lines[0].split("|") if lines else []
    lacking = [name for name in NEEDED if name not in head]
    if lacking:
        raise HandbookError(f"this is no answer of sacct with {', '.join(lacking)}", section=SECTION,
                            todo=f"ask with: sacct -P -j JOB -o {','.join(FIELDS)}")
    rows = [dict(zip(head, line.split("|"), strict=False)) for line in lines[1:]]
    jobs = [row for row in rows if "." not in row.get("JobID", ".")]
    if not jobs:
        raise HandbookError("the accounting has no such job", section=SECTION,
                            todo="check the number, and on which cluster it ran: sacct --starttime now-7days")
    return [_used(job, [row for row in rows if row["JobID"].startswith(job["JobID"] + ".")]) for job in jobs]


def _used(job: dict[str, str], steps: list[dict[str, str]]) -> Used:
    peak = max((size(step.get("MaxRSS", "")) * int(step.get("NTasks") or 1) for step in steps), default=0.0)
    resources = dict(part.split("=", 1) for part in job.get("AllocTRES", "").split(",") if "=" in part)
    cores, nodes = int(job["AllocCPUS"] or 0), int(job.get("NNodes") or 1)
    asked = job.get("ReqMem", "")
    memory = size(resources.get("mem", "")) or size(asked) * {"n": nodes, "c": cores}.get(asked[-1:], 1)
    seconds = _seconds(job["TotalCPU"]) or sum(_seconds(step["TotalCPU"]) for step in steps)
    limit, state = job.get("TimelimitRaw", ""), job["State"].split()[0]
    # A step that needed too much memory ends the script, and that may end the job as failed.
    if state == "FAILED" and any(step["State"].startswith("OUT_OF_ME") for step in steps):
        state = "OUT_OF_MEMORY"
    return Used(job["JobID"], job.get("JobName", ""), state, job.get("ExitCode", ""), cores, nodes,
                int(resources.get("gres/gpu", 0)), int(job["ElapsedRaw"] or 0),
                int(limit) * 60 if limit.isdecimal() else 0, seconds, peak, memory)


def size(text: str) -> float:
    """A size as Slurm writes it, such as 6291456K, in GiB; 0 for what is none."""
    match = SIZE.match(text.strip())
    return float(match[1]) * UNITS[match[2].upper()] if match else 0.0


def _seconds(text: str) -> float:
    """`[days-][hours:]minutes:seconds[.fraction]` in seconds."""
    days, _, rest = text.strip().rpartition("-")
    total = 0.0
    for part in rest.split(":"):
        total = total * 60 + float(part or 0)
    return total + 86400 * int(days or 0)


def what_happened(used: Used) -> Iterator[str]:
    """What a job's state means, and what to do about it."""
    if used.state in WAITING:
        yield "The job is waiting: nothing was used yet."
    elif not used.ended:
        yield ("The job is running: sacct shows what a step used when it has ended. Until then: "
               f"sstat -a -j {used.job} -o JobID,AveCPU,MaxRSS")
    if used.outgrown:
        yield (f"The job needed more than its {amount(round(used.memory, 2))} GiB: ask for "
               f"--mem={ceil(used.memory / used.nodes * 2)}G on each node, or let the program hold less at once.")
    if used.state == "TIMEOUT":
        yield "The time limit came first: save checkpoints and continue from them, or ask for more --time."
    if used.state == "FAILED" and used.exit == "0:53":
        yield "0:53 without a log: the log's folder was missing. mkdir -p it before sbatch."


def advice(used: Used) -> Iterator[str]:
    """What to ask for next time."""
    yield from what_happened(used)
    if not used.ended or used.state in FAILURES:
        return
    if used.seconds < ENOUGH_SECONDS:
        if used.state == "COMPLETED":
            yield "The job was too short to judge: below two minutes the numbers say little."
        return
    if used.cores > 1 and used.cpu < WELL:
        least = max(1, ceil(used.cores * used.cpu * MARGIN))
        if used.cpu_seconds < 1.2 * used.seconds:
            yield ("The job used about one core: if the program should use more, write "
                   'srun --cpus-per-task="$SLURM_CPUS_PER_TASK" in the script.')
        if not used.gpus:
            yield f"Ask for {least} cores instead of {used.cores}."
    if used.peak and used.memory and used.peak < WELL * used.memory:
        yield f"Ask for --mem={max(1, ceil(used.peak / used.nodes * MARGIN))}G on each node: the job used at most " \
              f"{amount(round(used.peak, 2))} of {amount(used.memory)} GiB."
    if used.limit and used.seconds < WELL * used.limit and used.state == "COMPLETED":
        yield f"Ask for --time={clock(ceil(used.seconds * MARGIN / 300) / 12)}: the job ended after " \
              f"{clock(used.seconds / 3600)} of {clock(used.limit / 3600)}. Shorter jobs start sooner."
    if used.gpus:
        yield "The accounting does not show how busy the GPUs were: watch the GPU's monitor while a job runs."


def array_advice(tasks: list[Used]) -> Iterator[str]:
    """What to ask for next time for an array: what happened to tasks that failed, then what is enough for all."""
    for state in dict.fromkeys(task.state for task in tasks):
        these = [task for task in tasks if task.state == state]
        if state != "COMPLETED":
            yield from (f"{these[0].job}: {text}" for text in what_happened(these[0]))
    if done := [task for task in tasks if task.state == "COMPLETED"]:
        seconds = max(task.seconds for task in done)
        busiest = max(done, key=lambda task: task.cpu)
        yield from advice(replace(busiest, seconds=seconds, cpu_seconds=busiest.cpu * busiest.cores * seconds,
                                  peak=max(task.peak for task in done)))


def report(jobs: list[Used]) -> str:
    """The numbers of a job for a person; of an array a line for each task, then the advice for all."""
    if len(jobs) == 1:
        return as_text(jobs[0])
    rows = [[task.job, task.state, clock(task.seconds / 3600), f"CPU {_cpu(task)}", f"memory {_memory(task)}"]
            for task in jobs]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *_histograms(jobs), *(f"  -> {text}" for text in array_advice(jobs))]) + "\n"


def _histograms(jobs: list[Used]) -> Iterator[str]:
    """How the time and the memory of many tasks that ended well are spread: a bar for each fifth of the range."""
    done = [task for task in jobs if task.state == "COMPLETED"]
    if len(done) < ENOUGH_TASKS:
        return
    kinds: list[tuple[str, Callable[[Used], float], Callable[[float], str]]] = [
        ("time", lambda task: task.seconds, lambda value: clock(value / 3600)),
        ("memory", lambda task: task.peak, lambda value: f"{value:.2f} GiB")]
    for title, of, shown in kinds:
        values = [of(task) for task in done]
        low, high = min(values), max(values)
        if not high or low == high:
            continue
        yield title
        width = (high - low) / BARS
        counts = [0] * BARS
        for value in values:
            counts[min(BARS - 1, int((value - low) / width))] += 1
        for place, count in enumerate(counts):
            bar = "#" * ceil(count / max(counts) * LONGEST_BAR)
            yield f"  up to {shown(low + (place + 1) * width):>10}  {bar} {count}"


def _cpu(used: Used) -> str:
    known = used.cpu_seconds or used.ended
    return (f"{used.cpu:.0%} of " if known else "") + plural(used.cores, "core")


def _memory(used: Used) -> str:
    if not used.peak:
        return f"not measured, of {amount(round(used.memory, 2))} GiB" if used.memory else "not measured"
    return f"{amount(round(used.peak, 2))} GiB" + (
        f" of {amount(round(used.memory, 2))} GiB ({used.peak / used.memory:.0%})" if used.memory else "")


def as_text(used: Used) -> str:
    """The numbers of a job for a person."""
    rows = [("Job", f"{used.job} {used.name}".strip()),
            ("State", used.state + (f", exit code {used.exit}" if used.exit not in ("", "0:0") else "")),
            ("Time", clock(used.seconds / 3600) + (f" of {clock(used.limit / 3600)}" if used.limit else "")),
            ("CPU", _cpu(used)), ("Memory", _memory(used))]
    if used.gpus:
        rows.append(("GPUs", str(used.gpus)))
    lines = [*(f"{name:<8} {text}" for name, text in rows), *(f"  -> {text}" for text in advice(used))]
    return "\n".join(lines) + "\n"
