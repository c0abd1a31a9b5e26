"""Checks of logs, commands, mail and environments: what makes a job fail without a word or bothers everyone."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from labhandbook.core.rules import Finding
from labhandbook.hpc import job_rules
from labhandbook.hpc.job_script import Script
from labhandbook.hpc.script_checks import JOBS, Job

# Repetitions are bounded, and a path holds no separator, so that a long line needs time in proportion to its length.
COMMAND = r"(?:^|[;&|(`]\s*|\b(?:if|then|do|exec|time|watch(?:\s+-\S+){0,9}(?:\s+\d+)?|while|until|!)\s+)"
STEP = r"(?:srun\s+(?:-\S+\s+){0,20})?"
ASKS = r"(?:squeue|sacct|sinfo|sstat|scontrol\s+show)\b"
SLEEP = re.compile(r"\bsleep\s+\"?(\d{1,9})([smh]?)")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
MOST_OFTEN = 30
# Words that a cluster may lack, the pattern that finds them, and what to use there.
WORDS = {
    "seff": (r"seff\b", "handbook job efficiency, or sacct -j"),
    "slurm-history": (r"slurm\s+(?:history|queue|h)\b", "sacct --starttime now-7days"),
    "sinteractive": (r"sinteractive\b", "srun --pty bash"),
    "lumi-allocations": (r"lumi-(?:allocations)\b", "csc-projects on CSC's own clusters"),
    "lumi-workspaces": (r"lumi-workspaces\b", "csc-workspaces on CSC's own clusters"),
    "csc-projects": (r"csc-projects\b", "lumi-allocations"),
    "csc-workspaces": (r"csc-workspaces\b", "lumi-workspaces"),
    "rocm-smi": (r"rocm-smi\b", "nvidia-smi"),
    "nvidia-smi": (r"nvidia-smi\b", "rocm-smi"),
}
INSTALLS = re.compile(COMMAND + r"(?:srun\s+)?(?:[^\s;&|(`]*/)?(?:pip3?\s+install|"
                      r"python[\d.]*\s+-m\s+(?:pip\s+install|venv)|uv\s+(?:pip\s+install|sync|add)|"
                      r"(?:conda|mamba|micromamba)\s+(?:install|create|env\s+create))\b")
# What tells that a path is an environment's.
ENVIRONMENT = re.compile(
    r"(?:PATH=[\"']?|source\s+[\"']?|(?:^|\s)\.\s+[\"']?|conda\s+activate\s+[\"']?|--prefix[= ][\"']?|"
    r"(?:VENV|ENV_DIR|CONDA_PREFIX|VIRTUAL_ENV)=[\"']?|python[\d.]*\s+-m\s+venv(?:\s+-\S+){0,9}\s+[\"']?)"
    r"(?P<path>(?:/|~|\$HOME|\$\{HOME\})[^\s:\"';]*)|(?:^|\s)(?P<run>/\S+/bin/python[\d.]*)\b")
HOMES = ("~", "$HOME", "${HOME}")


def log_folder(script: Script, option: str) -> str:
    """The folder of a log as written, "" when it is the one the job is submitted from or depends on the job."""
    folder = posixpath.dirname(script.value(option))
    return "" if "%" in folder else folder


@JOBS.finds(job_rules.LOG_FOLDER)
def folder(job: Job) -> Iterator[Finding]:
    """Logs in a folder that isn't there."""
    told = set()
    for option in ("output", "error"):
        name = log_folder(job.script, option)
        if name and name not in job.folders and name not in told and not name.startswith("/dev"):
            told.add(name)
            yield job.blame(job_rules.LOG_FOLDER, f"{name}/ doesn't exist where you submit: mkdir -p {name}",
                            job.script.line(option))


@JOBS.finds(job_rules.LOG_NAME)
def log_name(job: Job) -> Iterator[Finding]:
    """Arrays' patterns in plain jobs, and arrays whose tasks share a log."""
    is_array = job.script.option("array") is not None
    for name in ("output", "error"):
        option = job.script.option(name)
        value = job.script.value(name)
        if not option or not value or value.startswith("/dev"):
            continue
        if not is_array and (found := re.findall(r"%\d*([Aa])", value)):
            yield job.blame(job_rules.LOG_NAME, f"%{found[0]} belongs to arrays, and this is none: write %j",
                            option.line)
        elif is_array and not re.search(r"%\d*[ajJ]", value):
            yield job.blame(job_rules.LOG_NAME, f"all tasks of the array write to {value}: add %A_%a", option.line)


@JOBS.finds(job_rules.APPEND)
def append(job: Job) -> Iterator[Finding]:
    """Logs that a second start erases, where the cluster starts jobs again."""
    script = job.script
    again = script.option("requeue") or any("scontrol requeue" in text for _, text in script.commands)
    if (again or job.cluster.scheme == "slices") and not script.option("no-requeue") \
            and script.value("open-mode") != "append" and script.option("output"):
        who = "the script starts itself again" if again else (
            f"{job.cluster.name} starts a job again when a node fails")
        yield job.blame(job_rules.APPEND, f"{who}, and the log begins anew", script.line("requeue", "output"))


@JOBS.finds(job_rules.COMMAND)
def command(job: Job) -> Iterator[Finding]:
    """Commands that the cluster lacks."""
    for line, text in job.script.commands:
        for name, (pattern, instead) in WORDS.items():
            if job.cluster.commands.get(name) is False and re.search(f"{COMMAND}{STEP}{pattern}", text):
                yield job.blame(job_rules.COMMAND,
                                f"{job.cluster.name} has no {name.replace('slurm-', 'slurm ')}: use "
                                               f"{instead}", line)
        if job.cluster.commands.get("salloc-shell") is False and re.search(rf"{COMMAND}salloc\b", text):
            yield job.blame(job_rules.COMMAND, f"salloc on {job.cluster.name} leaves you on the login node: use "
                                           f"srun --pty bash", line)


@JOBS.finds(job_rules.POLL)
def poll(job: Job) -> Iterator[Finding]:
    """`watch` without a long interval, and loops that ask Slurm."""
    loop: list[tuple[int, str]] = []
    depth = 0
    for line, text in job.script.commands:
        if match := re.search(r"\bwatch\b(?P<options>(?:\s+-\S+(?:\s+[\d.]+)?){0,9})\s+[\"']?" + ASKS, text):
            every = re.search(r"(?:-n|--interval)[= ]?(\d{1,9}(?:\.\d{1,9})?)", match["options"])
            seconds = float(every[1]) if every else 2.0
            if seconds < MOST_OFTEN:
                yield job.blame(job_rules.POLL, f"watch asks Slurm every {seconds:g} seconds: write watch -n 60",
                                line)
        opens = len(re.findall(r"(?:^|[;&|]\s*)(?:while|until|for)\b", text))
        if opens or depth:
            loop.append((line, text))
        depth += opens - len(re.findall(r"(?:^|[;&|]\s*|\s)done\b", text))
        if depth <= 0 and loop:
            yield from _asking(job, loop)
            loop, depth = [], 0


def _asking(job: Job, loop: list[tuple[int, str]]) -> Iterator[Finding]:
    """A loop over Slurm's answers with too short a pause; `for` over words, asking once, is none."""
    if not re.match(r"\s*(?:while|until)\b|.*[;&|]\s*(?:while|until)\b|.*\bfor\s*\(\(", loop[0][1]):
        return
    pauses = [int(match[1]) * SECONDS[match[2]] for _, text in loop for match in SLEEP.finditer(text)]
    asks = [line for line, text in loop if re.search(ASKS, text)]
    if asks and (not pauses or max(pauses) < MOST_OFTEN):
        pause = f"every {max(pauses)} seconds" if pauses else "without a pause"
        yield job.blame(job_rules.POLL, f"the loop asks Slurm {pause}", asks[0])


@JOBS.finds(job_rules.MAIL)
def mail(job: Job) -> Iterator[Finding]:
    """Mail that nobody gets or nobody reads."""
    script = job.script
    kinds = {kind.strip().upper() for kind in script.value("mail-type").split(",") if kind.strip()}
    line = script.line("mail-type", "mail-user")
    if kinds - {"NONE"} and job.cluster.commands.get("mail") is False:
        yield job.blame(job_rules.MAIL, f"--mail-type has no effect on {job.cluster.name}: leave it out", line)
    elif "ARRAY_TASKS" in kinds and job.request and job.request.array > 1:
        yield job.blame(job_rules.MAIL, f"a mail for each of {job.request.array} tasks: leave ARRAY_TASKS out", line)
    elif kinds & {"ALL", "BEGIN"} and job.request and job.request.array > 1:
        yield job.blame(job_rules.MAIL, "mail at the start of an array tells nothing: write END,FAIL", line)
    elif script.option("mail-user") and not kinds:
        yield job.blame(job_rules.MAIL, "--mail-user without --mail-type sends nothing", line)


@JOBS.finds(job_rules.PLACE)
def place(job: Job) -> Iterator[Finding]:
    """Environments on an area that is not made for them."""
    wanted = [area.path for area in job.cluster.areas if area.environments]
    for line, text in job.script.commands:
        for match in ENVIRONMENT.finditer(text):
            path = match["path"] or match["run"]
            home = path.startswith(HOMES)
            for area in job.cluster.areas:
                under = (home and area.name == "home") or path == area.path or path.startswith(f"{area.path}/")
                if under and not area.environments:
                    yield job.blame(job_rules.PLACE, f"{path} lies on {job.cluster.name}'s {area.name}: environments "
                                                 f"belong on {' or '.join(wanted)}", line)


@JOBS.finds(job_rules.INSTALL)
def install(job: Job) -> Iterator[Finding]:
    """Environments made while the job runs."""
    for line, text in job.script.commands:
        if INSTALLS.search(text):
            yield job.blame(job_rules.INSTALL, f"the job installs software: {text[:60]}", line)
