"""Rules for a script's form: what Slurm and the shell read in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from labhandbook.core.rules import WARNING, At
from labhandbook.core.wording import PLACEHOLDER, hint
from labhandbook.hpc.job_request import READERS, mistakes
from labhandbook.hpc.job_rules import JOBS, SCRIPT, Job
from labhandbook.hpc.sbatch_options import FLAGS, LONG, OPTIONAL, Option, srun_options

VARIABLE = re.compile(r"\$\{?\w|\$\(|`")
GUESSES = 50  # of misspelt options in one script get a guess, since guessing is slow
SRUN = re.compile(r"(?:^|[;&|(]\s*|\b(?:if|then|do|exec|time|!)\s+)srun\b")
ENOUGH = {"cpus-per-task", "jobid", "overlap", "het-group"}
QUIET = re.compile(r"'[^']*'")
# A value that a template leaves open.
OPEN = re.compile(r"<[A-Za-z][^<>]*>|^\.\.\.$")


@JOBS.rule("HPC001", "Every #SBATCH option is one that sbatch knows", section=SCRIPT,
           why="Slurm refuses the whole script because of one unknown option.",
           fix="Correct the option; `man sbatch` lists them all.", source="sbatch: unrecognized option")
def unknown_option(job: Job) -> Iterator[At]:
    """Options that Slurm refuses."""
    guesses = 0
    for option in job.script.options:
        if option.written.removeprefix("--") in job.cluster.plug_ins:
            continue
        if not option.name:
            guesses += 1
            known = [f"--{name}" for name in LONG] if guesses <= GUESSES else []
            also = [name for name in known if name.startswith(option.written)] if option.written != "--" else []
            guess = f": it may be {', '.join(sorted(also))}" if also else hint(option.written, known)
            yield At(f"{option.written} is not an option of sbatch{guess}", line=option.line)
        elif option.name in FLAGS and option.value is not None and option.written.startswith("--"):
            yield At(f"{option.written} takes no value", line=option.line)
    for line, why in job.script.unreadable:
        yield At(f"the line can't be read: {why}", line=line)


@JOBS.rule("HPC002", "The options of #SBATCH lines are written in full", section=SCRIPT, severity=WARNING,
           why="Slurm completes a shortened option silently, so a typing error may become another option.",
           fix="Write the option in full.")
def shortened(job: Job) -> Iterator[At]:
    """Options that Slurm completes."""
    for option in chain(job.script.options, job.script.late):
        if option.shortened:
            yield At(f"Slurm reads {option.written} as --{option.name}", line=option.line)


@JOBS.rule("HPC003", "All #SBATCH lines are above the first command", section=SCRIPT,
           why="Slurm stops reading at the first command and ignores every #SBATCH line below it.",
           fix="Move the line up, above the first command.")
def late(job: Job) -> Iterator[At]:
    """Options that Slurm ignores."""
    for option in job.script.late:
        yield At(f"{option.written} is below the first command: Slurm ignores it", line=option.line)
    for line in job.script.almost:
        yield At("the line doesn't begin with #SBATCH and is a comment to Slurm", line=line, severity=WARNING,
                 fix="Begin the line with #SBATCH, in capitals and without a space, or delete it.")


@JOBS.rule("HPC004", "Slurm can read the value of every #SBATCH option", section=SCRIPT,
           why="Slurm refuses the script, or reads a number in another unit.",
           fix="Write the value as the message says.", source="sbatch: Invalid --time specification, and the like")
def value(job: Job) -> Iterator[At]:
    """Values without a meaning."""
    literal = {option.line for option in job.script.options if _open(option) or VARIABLE.search(option.value or "")}
    yield from (at for at in mistakes(job.script) if at.line not in literal)
    for option in job.script.options:
        if option.name and option.value is None and option.name not in FLAGS | OPTIONAL | READERS.keys():
            yield At(f"{option.written} needs a value", line=option.line)


@JOBS.rule("HPC005", "No #SBATCH line holds a variable or a placeholder", section="sec-hpc-workflow-project",
           why="Slurm reads the line before any shell runs, and takes the text literally.",
           fix="Write the value itself, leave the account to SBATCH_ACCOUNT, or give the option to sbatch on the "
               "command line.")
def literals(job: Job) -> Iterator[At]:
    """Variables and placeholders where no shell reads; all placeholders of a template are one finding."""
    left = [option for option in job.script.options if _open(option)]
    if left:
        more = list(dict.fromkeys(match for _, match in _bare(job)))
        where = ", ".join(f"{option.written} ({option.value})" for option in left)
        yield At(f"placeholders are left: {where}" + (f"; and in the commands {', '.join(more)}" if more else ""),
                 line=left[0].line, fix="Replace them; leave the account to SBATCH_ACCOUNT.")
    for option in job.script.options:
        text = option.value or ""
        if _open(option) or option.name == "wrap" or job.script.filled:
            continue
        if VARIABLE.search(text):
            yield At(f"{option.written}={text}: nothing fills in the variable", line=option.line)
        elif text.startswith("~/"):
            yield At(f"{option.written}={text}: nothing fills in the ~", line=option.line,
                     fix="Write the path from / on.")


def _open(option: Option) -> bool:
    return bool(OPEN.search(option.value or ""))


def _bare(job: Job) -> Iterator[tuple[int, str]]:
    """Placeholders in commands, with their lines."""
    for line, text in job.script.commands:
        yield from ((line, match[0]) for match in PLACEHOLDER.finditer(QUIET.sub("", text)))


@JOBS.rule("HPC006", "No command of a job script holds a bare <placeholder>", section=SCRIPT,
           why="To the shell <name> is redirection: it reads one file and overwrites another.",
           fix="Write \"${NAME:?set it to ...}\": if the variable is not set, the job stops with a message.")
def placeholder(job: Job) -> Iterator[At]:
    """`<name>` in a command; all of a script are one finding."""
    found = list(_bare(job))
    if found and not any(_open(option) for option in job.script.options):
        names = list(dict.fromkeys(name for _, name in found))
        yield At(f"{', '.join(names)} {'is a bare placeholder' if len(names) == 1 else 'are bare placeholders'}",
                 line=found[0][0])


@JOBS.rule("HPC007", "A job script begins with #! and has Unix line ends", section=SCRIPT,
           why="sbatch refuses a script whose first line names no interpreter, and one with DOS line breaks.",
           fix="Begin with #!/bin/bash, and convert the file with dos2unix.",
           source="sbatch: This does not look like a batch script; Batch script contains DOS line breaks")
def shebang(job: Job) -> Iterator[At]:
    """What sbatch reads first."""
    if job.script.mark:
        yield At("the file begins with a byte order mark, so that #! is not its first sign", line=1,
                 fix="Save it as UTF-8 without a byte order mark (BOM).")
    elif not job.script.shebang:
        yield At("the first line is not #! and an interpreter", line=1)
    if job.script.carriage:
        yield At("the file has DOS line breaks", line=1)


@JOBS.rule("HPC060", "Every srun names the cores of a task", section=SCRIPT, severity=WARNING,
           why="Since Slurm 22.05, srun does not take --cpus-per-task from the script: the program may get a single "
               "core.",
           fix='Write srun --cpus-per-task="$SLURM_CPUS_PER_TASK".')
def srun_cores(job: Job) -> Iterator[At]:
    """srun in a script that requests several cores a task, without saying so again."""
    if job.request is None or job.request.cpus_per_task < 2 or job.cluster.retired or job.cluster.jobs.srun_cores:
        return
    if any("SRUN_CPUS_PER_TASK=" in text for _, text in job.script.commands):
        return
    for line, text in job.script.commands:
        if (match := SRUN.search(text)) and not ENOUGH.intersection(srun_options(text[match.start():])):
            yield At(f"srun does not get the {job.request.cpus_per_task} cores of a task", line=line)


@JOBS.rule("HPC061", "python -m is followed by a module's name, not by a file's", section=SCRIPT,
           why="For train.py Python looks for a package train with a module py in it, and the job fails.",
           fix="Leave .py out, or leave -m out.")
def module(job: Job) -> Iterator[At]:
    """`python -m name.py`."""
    for line, text in job.script.commands:
        for match in re.finditer(r"\bpython[\d.]*(?:\s+-\w+){0,9}\s+-m\s+(\S+)\.py\b", text):
            yield At(f"{match[1]}.py is a file's name: write python -m {match[1]}", line=line)
