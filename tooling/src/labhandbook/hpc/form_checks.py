"""Checks of a script's form: what Slurm and the shell read in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from labhandbook.core.rules import Finding
from labhandbook.core.wording import hint
from labhandbook.hpc import job_rules
from labhandbook.hpc.job_request import mistakes
from labhandbook.hpc.sbatch_options import FLAGS, LONG, OPTIONAL
from labhandbook.hpc.script_checks import JOBS, Job

VARIABLE = re.compile(r"\$\{?\w|\$\(|`")
BARE = re.compile(r"(?<![<\w])<[A-Za-z][\w.-]*(?: [\w.-]+)*>")
GUESSES = 50  # of misspelt options in one script get a guess, since guessing is slow
QUIET = re.compile(r"'[^']*'")


@JOBS.finds(job_rules.UNKNOWN)
def unknown(job: Job) -> Iterator[Finding]:
    """Options that Slurm refuses."""
    guesses = 0
    for option in job.script.options:
        if not option.name:
            guesses += 1
            known = [f"--{name}" for name in LONG] if guesses <= GUESSES else []
            also = [name for name in known if name.startswith(option.written)] if option.written != "--" else []
            told = f": it may be {', '.join(sorted(also))}" if also else hint(option.written, known)
            yield job.blame(job_rules.UNKNOWN, f"{option.written} is no option of sbatch{told}", option.line)
        elif option.name in FLAGS and option.value is not None and option.written.startswith("--"):
            yield job.blame(job_rules.UNKNOWN, f"{option.written} takes no value", option.line)
    for line, why in job.script.unreadable:
        yield job.blame(job_rules.UNKNOWN, f"the line can't be read: {why}", line)


@JOBS.finds(job_rules.SHORTENED)
def shortened(job: Job) -> Iterator[Finding]:
    """Options that Slurm completes."""
    for option in chain(job.script.options, job.script.late):
        if option.shortened:
            yield job.blame(job_rules.SHORTENED, f"Slurm reads {option.written} as --{option.name}", option.line)


@JOBS.finds(job_rules.LATE)
def late(job: Job) -> Iterator[Finding]:
    """Options that Slurm never sees."""
    for option in job.script.late:
        yield job.blame(job_rules.LATE, f"{option.written} stands below the first command and is ignored",
                        option.line)
    for line in job.script.almost:
        yield job.blame(job_rules.LATE, "the line doesn't begin with #SBATCH and is a comment to Slurm", line)


@JOBS.finds(job_rules.VALUE)
def value(job: Job) -> Iterator[Finding]:
    """Values without a meaning."""
    literal = {finding.line for finding in literals(job)}
    for line, message in mistakes(job.script):
        if line not in literal:
            yield job.blame(job_rules.VALUE, message, line)
    for option in job.script.options:
        if option.name and option.value is None and option.name not in FLAGS | OPTIONAL \
                and option.name not in ("time", "nodes", "mem", "array", "ntasks"):
            yield job.blame(job_rules.VALUE, f"{option.written} needs a value", option.line)


@JOBS.finds(job_rules.LITERAL)
def literals(job: Job) -> Iterator[Finding]:
    """Variables and placeholders where no shell reads."""
    for option in job.script.options:
        text = option.value or ""
        if BARE.search(text):
            yield job.blame(job_rules.LITERAL, f"{option.written} still has the placeholder {text}", option.line)
        elif VARIABLE.search(text) and option.name != "wrap":
            yield job.blame(job_rules.LITERAL, f"{option.written}={text}: nothing fills in the variable", option.line)


@JOBS.finds(job_rules.PLACEHOLDER)
def placeholder(job: Job) -> Iterator[Finding]:
    """`<name>` in a command."""
    for line, text in job.script.commands:
        for match in BARE.finditer(QUIET.sub("", text)):
            yield job.blame(job_rules.PLACEHOLDER, f"{match[0]} is a bare placeholder", line)


@JOBS.finds(job_rules.SHEBANG)
def shebang(job: Job) -> Iterator[Finding]:
    """What sbatch looks at first."""
    if not job.script.shebang:
        yield job.blame(job_rules.SHEBANG, "the first line is not #! and an interpreter", 1)
    if job.script.carriage:
        yield job.blame(job_rules.SHEBANG, "the file has DOS line breaks", 1)


@JOBS.finds(job_rules.SRUN_CORES)
def srun_cores(job: Job) -> Iterator[Finding]:
    """srun in a script that asks for several cores a task, without saying so again."""
    if job.request is None or job.request.cpus_per_task < 2:
        return
    if any("SRUN_CPUS_PER_TASK=" in text for _, text in job.script.commands):
        return
    for line, text in job.script.commands:
        if re.search(r"(?:^|[;&|(]\s*|\b(?:if|then|do|exec|time|!)\s+)srun\b", text) \
                and not re.search(r"\s(?:--cpus-per-task|-c|--jobid|--overlap)\b", text):
            yield job.blame(job_rules.SRUN_CORES, f"srun isn't told the {job.request.cpus_per_task} cores of a task",
                            line)


@JOBS.finds(job_rules.MODULE)
def module(job: Job) -> Iterator[Finding]:
    """`python -m name.py`."""
    for line, text in job.script.commands:
        for match in re.finditer(r"\bpython[\d.]*(?:\s+-\w+){0,9}\s+-m\s+(\S+)\.py\b", text):
            yield job.blame(job_rules.MODULE, f"{match[1]}.py is a file's name: write python -m {match[1]}", line)
