"""`handbook job check`: reads a script, lets every rule look at it for one cluster."""

from __future__ import annotations

from pathlib import Path

from labhandbook.core.rules import Findings
from labhandbook.hpc import form_checks, habit_checks, job_script, limit_checks, waste_checks
from labhandbook.hpc.clusters import Cluster
from labhandbook.hpc.job_request import Request, Unreadable, read_request
from labhandbook.hpc.job_script import Script
from labhandbook.hpc.script_checks import JOBS, Job

__all__ = ["JOBS", "check", "form_checks", "habit_checks", "limit_checks", "look", "waste_checks"]


def check(path: Path, cluster: Cluster, folder: Path) -> Findings:
    """The findings in a script that will be submitted to a cluster from `folder`.

    Raises HandbookError when the file can't be read.
    """
    return JOBS.run(look(job_script.read(path), cluster, folder))


def look(script: Script, cluster: Cluster, folder: Path) -> Job:
    """What the rules look at."""
    names = {habit_checks.log_folder(script, option) for option in ("output", "error")}
    there = frozenset(name for name in names if name and (folder / name).is_dir())
    request: Request | None
    try:
        request = read_request(script)
    except Unreadable:
        request = None
    return Job(script, cluster, request, there)
