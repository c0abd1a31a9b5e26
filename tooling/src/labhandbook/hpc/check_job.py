"""`handbook job check`: reads a script and runs every rule on it, for one cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from labhandbook.core.rules import Findings
from labhandbook.hpc import form_checks, habit_checks, job_script, limit_checks, program_checks, waste_checks
from labhandbook.hpc.clusters import Cluster
from labhandbook.hpc.job_request import Unreadable, read_request, short
from labhandbook.hpc.job_rules import JOBS, Job
from labhandbook.hpc.job_script import Script

__all__ = ["check", "check_script", "form_checks", "habit_checks", "limit_checks", "program_checks", "waste_checks"]
LONGEST = 500  # characters of a message, which may quote a value of any length


def check(path: Path, cluster: Cluster, folder: Path) -> Findings:
    """The findings in a script that will be submitted to a cluster from `folder`.

    Raises HandbookError when the file can't be read.
    """
    return check_script(job_script.read(path), cluster, folder)


def check_script(script: Script, cluster: Cluster, folder: Path) -> Findings:
    """The same for a script that has been read."""
    found = [finding for part in (script, *script.parts) for finding in _findings(part, cluster, folder)]
    return Findings.of((replace(each, message=short(each.message, LONGEST)) for each in found), len(JOBS.checks))


def _findings(script: Script, cluster: Cluster, folder: Path) -> Findings:
    """What the rules find in one part of a job."""
    names = {script.log_folder(option) for option in ("output", "error")}
    there = frozenset(name for name in names if name and _is_folder(folder / name))
    try:
        request = read_request(script)
    except Unreadable:
        request = None
    return JOBS.run(Job(script, cluster, request, there))


def _is_folder(path: Path) -> bool:
    """Whether a folder exists; no name is too long to ask."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
