"""Rules for logs, commands, mail and environments: what makes a job fail silently or disturbs everyone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from labhandbook.core.rules import UNVERIFIED, WARNING, At
from labhandbook.hpc.job_rules import JOBS, LOGS, POLLING, SOFTWARE, Job

# Repetitions are bounded, and a path holds no separator, so that a long line needs time in proportion to its length.
COMMAND = r"(?:^|[;&|(`]\s*|\b(?:if|then|do|exec|time|watch(?:\s+-\S+){0,9}(?:\s+\d+)?|while|until|!)\s+)"
STEP = r"(?:srun\s+(?:-\S+\s+){0,20})?"
ASKS = r"(?:squeue|sacct|sinfo|sstat|scontrol\s+show)\b"
SLEEP = re.compile(r"\bsleep\s+\"?(\d{1,9})([smh]?)")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
MOST_OFTEN = 30
INSTALLS = re.compile(COMMAND + r"(?:srun\s+)?(?:[^\s;&|(`]*/)?(?:pip3?\s+install|"
                      r"python[\d.]*\s+-m\s+(?:pip\s+install|venv)|uv\s+(?:pip\s+install|sync|add)|"
                      r"(?:conda|mamba|micromamba)\s+(?:install|create|env\s+create))\b")
# What shows that a path is an environment's: PATH itself, what activates one, and what makes one.
ENVIRONMENT = re.compile(
    r"(?:(?<!\w)PATH=[\"']?|(?:\bsource|(?:^|\s)\.)\s+[\"']?(?=\S+/(?:bin/activate|conda\.sh|activate)\b)|"
    r"conda\s+activate\s+[\"']?|(?:conda|mamba|containerize)\b[^;|&]{0,200}\s--prefix[= ][\"']?|"
    r"(?:VENV|ENV_DIR|CONDA_PREFIX|VIRTUAL_ENV)=[\"']?|python[\d.]*\s+-m\s+venv(?:\s+-\S+){0,9}\s+[\"']?)"
    r"(?P<path>(?:/|~|\$HOME|\$\{HOME\})[^\s:\"';]*)|(?:^|\s)(?P<run>/\S+/bin/python[\d.]*)\b")
HOMES = ("~", "$HOME", "${HOME}")


@JOBS.rule("HPC040", "The folder of the log exists before the job is submitted", section=LOGS,
           why="Slurm opens the log before the script runs: without the folder the job fails and leaves no log.",
           fix="Create the folder before you submit.", source="sacct: FAILED, exit code 0:53")
def log_folder(job: Job) -> Iterator[At]:
    """Logs in a folder that does not exist."""
    names = {job.script.log_folder(option): option for option in ("error", "output")}
    for name, option in names.items():
        if not name or name in job.folders or name.startswith("/dev") or re.search(r"[$`<]|^~", name):
            continue
        line = job.script.line(option)
        if name.startswith("/") and not Path("/", *Path(name).parts[1:2]).exists():
            yield At(f"{name}/ is a folder of the cluster, which this machine can't see", line=line,
                     severity=UNVERIFIED, fix=f"Check it there: ls -d {name}")
        else:
            yield At(f"{name}/ doesn't exist where you submit: mkdir -p {name}", line=line)


@JOBS.rule("HPC041", "The name of the log fits a plain job or an array", section=LOGS,
           why="%A and %a are for arrays; without a task's number all tasks of an array write into one file.",
           fix="Use %x_%j for a plain job and %x_%A_%a for an array.")
def log_name(job: Job) -> Iterator[At]:
    """Arrays' patterns in plain jobs, and arrays whose tasks share a log."""
    is_array = job.script.option("array") is not None
    for name in ("output", "error"):
        line, value = job.script.line(name), job.script.value(name)
        if not value or value.startswith("/dev"):
            continue
        if not is_array and (found := re.findall(r"%\d*([Aa])", value)):
            yield At(f"%{found[0]} is for arrays, and this job is none: write %j", line=line, severity=WARNING)
        elif is_array and not re.search(r"%\d*[ajJ]", value):
            yield At(f"all tasks of the array write to {value}: add %A_%a", line=line)


@JOBS.rule("HPC042", "A job that is started again keeps its log", section=LOGS, severity=WARNING,
           why="A requeued job starts its log again and erases what was in it.", fix="Add --open-mode=append.")
def append(job: Job) -> Iterator[At]:
    """Logs that a second start erases, where the cluster starts jobs again."""
    script = job.script
    again = script.option("requeue") or any("scontrol requeue" in text for _, text in script.commands)
    if (again or job.cluster.jobs.requeues) and not script.option("no-requeue") \
            and script.value("open-mode") != "append" and script.option("output"):
        starter = "the script starts itself again" if again else (
            f"{job.cluster.name} starts a job again when a node fails")
        yield At(f"{starter}, which erases the log", line=script.line("requeue", "output"))


@JOBS.rule("HPC050", "The cluster has every command of the script", section="sec-commands-sacct",
           why="The job stops, or continues without what the command should have done.",
           fix="Use what the message names.", source="bash: command not found")
def command(job: Job) -> Iterator[At]:
    """Commands that the cluster lacks."""
    words = "|".join(map(re.escape, sorted(job.cluster.missing, key=len, reverse=True)))
    lacking = re.compile(rf"{COMMAND}{STEP}(?P<word>{words})(?![\w-])") if words else None
    for line, text in job.script.commands:
        for match in lacking.finditer(text) if lacking else ():
            instead = f": use {found}" if (found := job.cluster.missing[match["word"]]) else ""
            yield At(f"{job.cluster.name} has no {match['word']}{instead}", line=line)
        if not job.cluster.jobs.salloc_shell and re.search(rf"{COMMAND}salloc\b", text):
            yield At(f"salloc on {job.cluster.name} leaves you on the login node: use srun --pty bash", line=line)


@JOBS.rule("HPC051", "No command asks Slurm again after a few seconds", section=POLLING, severity=WARNING,
           why="Every question goes to the one program that starts everyone's jobs.",
           fix="Ask at most once a minute, or let --dependency start the next job.")
def poll(job: Job) -> Iterator[At]:
    """`watch` without a long interval, and loops that ask Slurm."""
    loop: list[tuple[int, str]] = []
    depth = 0
    for line, text in job.script.commands:
        if match := re.search(r"\bwatch\b(?P<options>(?:\s+-\S+(?:\s+[\d.]+)?){0,9})\s+[\"']?" + ASKS, text):
            every = re.search(r"(?:-n|--interval)[= ]?(\d{1,9}(?:\.\d{1,9})?)", match["options"])
            seconds = float(every[1]) if every else 2.0
            if seconds < MOST_OFTEN:
                yield At(f"watch asks Slurm every {seconds:g} seconds: write watch -n 60", line=line)
        opens = len(re.findall(r"(?:^|[;&|]\s*)(?:while|until|for)\b", text))
        if opens or depth:
            loop.append((line, text))
        depth += opens - len(re.findall(r"(?:^|[;&|]\s*|\s)done\b", text))
        if depth <= 0 and loop:
            yield from _asking(loop)
            loop, depth = [], 0


def _asking(loop: list[tuple[int, str]]) -> Iterator[At]:
    """A loop over Slurm's answers with too short a pause; `for` over words, asking once, is none."""
    if not re.match(r"\s*(?:while|until)\b|.*[;&|]\s*(?:while|until)\b|.*\bfor\s*\(\(", loop[0][1]):
        return
    pauses = [int(match[1]) * SECONDS[match[2]] for _, text in loop for match in SLEEP.finditer(text)]
    asks = [line for line, text in loop if re.search(ASKS, text)]
    if asks and (not pauses or max(pauses) < MOST_OFTEN):
        pause = f"every {max(pauses)} seconds" if pauses else "without a pause"
        yield At(f"the loop asks Slurm {pause}", line=asks[0])


@JOBS.rule("HPC052", "A job asks only for mail that somebody reads", section=POLLING, severity=WARNING,
           why="Some clusters send no mail, and nobody reads a mail for each task of an array.",
           fix="Ask for END,FAIL of single jobs; look at arrays with sacct.")
def mail(job: Job) -> Iterator[At]:
    """Mail that nobody gets or nobody reads."""
    script = job.script
    kinds = {kind.strip().upper() for kind in script.value("mail-type").split(",") if kind.strip()}
    line = script.line("mail-type", "mail-user")
    if kinds - {"NONE"} and not job.cluster.jobs.mail:
        yield At(f"--mail-type has no effect on {job.cluster.name}: leave it out", line=line,
                 fix="Leave it out; handbook job watch says when the job has ended.")
    elif "ARRAY_TASKS" in kinds and job.request and job.request.array > 1:
        yield At(f"a mail for each of {job.request.array} tasks: leave ARRAY_TASKS out", line=line)
    elif kinds & {"ALL", "BEGIN"} and job.request and job.request.array > 1:
        yield At("mail at the start of an array says nothing useful: write END,FAIL", line=line)
    elif script.option("mail-user") and not kinds:
        yield At("--mail-user without --mail-type sends nothing", line=line)


@JOBS.rule("HPC053", "Software environments are in a storage area made for them", section=SOFTWARE,
           severity=WARNING,
           why="An environment has tens of thousands of small files. On scratch they are slow and may be deleted, "
               "and the home folder has no room for so many.",
           fix="Pack the environment into a container, and put it into the area that the message names.")
def place(job: Job) -> Iterator[At]:
    """Environments in an area that is not made for them."""
    wanted = [area.path for area in job.cluster.areas if area.environments]
    for line, text in job.script.commands:
        for match in ENVIRONMENT.finditer(text):
            path = match["path"] or match["run"]
            home = path.startswith(HOMES)
            for area in job.cluster.areas:
                under = (home and area.name == "home") or path == area.path or path.startswith(f"{area.path}/")
                if under and not area.environments:
                    yield At(f"{path} is in {job.cluster.name}'s {area.name}: environments belong in "
                             f"{' or '.join(wanted)}", line=line)


@JOBS.rule("HPC054", "A job installs no software", section=SOFTWARE, severity=WARNING,
           why="The project pays for the time of the download, and the tasks of an array write into one environment "
               "at once.",
           fix="Set up the environment once, on the login node, before you submit.")
def install(job: Job) -> Iterator[At]:
    """Environments made while the job runs."""
    for line, text in job.script.commands:
        if INSTALLS.search(text):
            yield At(f"the job installs software: {text[:60]}", line=line)
