"""`handbook job watch`: the state of jobs as bars, asked for seldom, until they have ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf

from labhandbook.core.errors import HandbookError
from labhandbook.core.process import TimeoutExpired, environment, run
from labhandbook.hpc.explain import load, search
from labhandbook.hpc.job_request import Unreadable, hours

SECTION = "sec-hpc-workflow-monitor"
FORMAT = "%i|%j|%T|%M|%l|%r"
SECONDS = 60
BAR = 20


@dataclass(frozen=True)
class Queued:
    """A job in the queue. `used` and `limit` are in hours; `reason` says why it waits."""

    job: str
    name: str
    state: str
    used: float
    limit: float
    reason: str

    def as_text(self, meaning: Callable[[str], str]) -> str:
        """A line with a bar of the time used, or with the reason for waiting and what it means."""
        head = f"{self.job:<12} {self.name[:16]:<16} {self.state:<10} "
        if self.state == "PENDING":
            said = meaning(self.reason)
            return head + self.reason + (f": {said}" if said else "")
        if not 0 < self.limit < inf:
            return (head + _clock(self.used)).rstrip()
        full = min(BAR, int(BAR * self.used / self.limit))
        return f"{head}[{'#' * full}{'-' * (BAR - full)}] {_clock(self.used)} of {_clock(self.limit)}"


def _clock(amount: float) -> str:
    minutes = round(amount * 60)
    return f"{minutes // 60}:{minutes % 60:02} h" if minutes >= 60 else f"{minutes} min"


def ask(jobs: tuple[str, ...], cluster: str = "") -> list[Queued]:
    """The jobs in the queue: those named, or all of this user. Raises HandbookError when squeue can't be asked."""
    program = shutil.which("squeue")
    if program is None:
        raise HandbookError("squeue is not on this machine", section=SECTION, todo="run this on the login node")
    words = [program, *(["-M", cluster] if cluster else []), "-h", "-o", FORMAT,
             *(["-j", ",".join(jobs)] if jobs else ["--me"])]
    try:
        done = run(words, env=environment(names=("SLURM_CONF", "SLURM_CLUSTERS")), timeout=SECONDS)
    except TimeoutExpired:
        raise HandbookError(f"squeue gave no answer within {SECONDS} s", section=SECTION,
                            todo="try again when the cluster is less busy") from None
    # A job that ended some minutes ago is unknown to squeue: it has ended.
    if done.returncode and "Invalid job id" not in done.stderr:
        raise HandbookError(f"squeue failed: {done.stderr.strip()}", section=SECTION, todo="check the numbers")
    return read(done.stdout)


def read(text: str) -> list[Queued]:
    """The jobs in squeue's answer."""
    rows = [line.split("|") for line in text.splitlines() if line.count("|") >= 5]
    return [Queued(row[0], row[1], row[2], _hours(row[3]), _hours(row[4]), row[5]) for row in rows]


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
