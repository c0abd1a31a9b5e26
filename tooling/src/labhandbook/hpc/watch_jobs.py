"""`handbook job watch`: the state of jobs as bars, asked for seldom, until they have ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import inf

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import TimeoutExpired, environment, run
from labhandbook.hpc.efficiency import size
from labhandbook.hpc.explain import load, search
from labhandbook.hpc.job_request import Unreadable, hours

SECTION = "sec-hpc-workflow-monitor"
FORMAT = "%i|%j|%T|%M|%l|%r|%A"
SECONDS = 60
BAR = 20
MEASURED = 20  # jobs whose nodes are asked for what they use, at most


@dataclass(frozen=True)
class Queued:
    """A job in the queue. `used` and `limit` are in hours; `reason` says why it waits.

    `number` is its own number where `job` names a task of an array; `needs` says what it uses while it runs.
    """

    job: str
    name: str
    state: str
    used: float
    limit: float
    reason: str
    number: str = ""
    needs: str = ""

    def as_text(self, meaning: Callable[[str], str]) -> str:
        """A line with a bar of the time used, or with the reason for waiting and what it means."""
        head = f"{self.job:<12} {self.name[:16]:<16} {self.state:<10} "
        if self.state == "PENDING":
            said = meaning(self.reason)
            return head + self.reason + (f": {said}" if said else "")
        if not 0 < self.limit < inf:
            return (head + _clock(self.used) + self.needs).rstrip()
        full = min(BAR, int(BAR * self.used / self.limit))
        return f"{head}[{'#' * full}{'-' * (BAR - full)}] {_clock(self.used)} of {_clock(self.limit)}{self.needs}"


def _clock(amount: float) -> str:
    minutes = round(amount * 60)
    return f"{minutes // 60}:{minutes % 60:02} h" if minutes >= 60 else f"{minutes} min"


def ask(jobs: tuple[str, ...], cluster: str = "") -> list[Queued]:
    """The jobs in the queue: those named, or all of this user. Raises HandbookError when squeue can't be asked."""
    program = shutil.which("squeue")
    if program is None:
        raise HandbookError("squeue is not on this machine", section=SECTION, todo="run this on the login node")
    named = ["-j", ",".join(jobs)] if jobs else ["--me"]
    code, said, why = _asked(program, cluster, "-h", "-o", FORMAT, *named)
    # A job that ended some minutes ago is unknown to squeue: it has ended.
    if code and "Invalid job id" not in why:
        raise HandbookError(f"squeue failed: {why.strip()}", section=SECTION, todo="check the numbers")
    return measured(read(said))


def _asked(program: str, cluster: str, *words: str) -> tuple[int, str, str]:
    """The exit code, the answer and the errors of a command of Slurm. Raises HandbookError when none comes."""
    try:
        done = run([program, *(["-M", cluster] if cluster else []), *words], timeout=SECONDS,
                   env=environment(names=("SLURM_CONF", "SLURM_CLUSTERS")))
    except TimeoutExpired:
        raise HandbookError(f"{program.rpartition('/')[2]} gave no answer within {SECONDS} s", section=SECTION,
                            todo="try again when the cluster is less busy") from None
    return done.returncode, done.stdout, done.stderr


def measured(jobs: list[Queued]) -> list[Queued]:
    """The jobs with what those that run use: one question to sstat, which asks their nodes. No answer is no error."""
    program = shutil.which("sstat")
    running = [job.number for job in jobs if job.state == "RUNNING" and job.number][:MEASURED]
    if not program or not running:
        return jobs
    try:
        _, said, _ = _asked(program, "", "-a", "-n", "-P", "-j", ",".join(running), "-o",
                            "JobID,MaxRSS,TRESUsageInMax")
    except HandbookError:
        return jobs
    found: dict[str, list[float]] = {}
    for row in (line.split("|") for line in said.splitlines() if line.count("|") >= 2):
        parts = dict(part.split("=", 1) for part in row[2].split(",") if "=" in part)
        most = found.setdefault(row[0].partition(".")[0], [0.0, 0.0, 0.0])
        for place, value in enumerate((size(row[1]), size(parts.get("gres/gpumem", "")),
                                       float(parts.get("gres/gpuutil", "0").rstrip("%") or 0))):
            most[place] = max(most[place], value)
    return [replace(job, needs=_needs(*found[job.number])) if job.number in found else job for job in jobs]


def _needs(memory: float, gpu_memory: float, gpu: float) -> str:
    """What the largest task of a job uses; the GPU only where Slurm measures it."""
    parts = [f"{memory:.1f} GiB"] * bool(memory)
    if gpu or gpu_memory:
        parts.append(f"GPU {gpu:.0f} %" + f" and {gpu_memory:.1f} GiB" * bool(gpu_memory))
    return "".join(f", {part}" for part in parts)


def read(text: str) -> list[Queued]:
    """The jobs in squeue's answer."""
    rows = [line.split("|") for line in text.splitlines() if line.count("|") >= 5]
    return [Queued(row[0], row[1], row[2], _hours(row[3]), _hours(row[4]), row[5],
                   row[6] if len(row) > 6 else "") for row in rows]


def _hours(text: str) -> float:
    try:
        return hours(text)
    except Unreadable:
        return 0.0


def frames(jobs: tuple[str, ...], every: float, pause: Callable[[float], object],
           question: Callable[[tuple[str, ...]], list[Queued]]) -> Iterator[list[Queued]]:
    """The state of the jobs after each question, until none is left; it pauses between two."""
    while left := question(jobs):
        yield left
        pause(every)


def shown(jobs: list[Queued]) -> str:
    """The jobs, a line each, with what the handbook says of their reasons for waiting."""
    known = load()

    def meaning(reason: str) -> str:
        found = search(reason, known) if reason not in ("", "None") else []
        return found[0].text if found else ""

    return "".join(f"{job.as_text(meaning)}\n" for job in jobs)
