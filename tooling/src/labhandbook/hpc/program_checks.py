"""Rules for how a script starts its program: what runs and still gives wrong results, or uses a part of the job."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labhandbook.core.rules import WARNING, At
from labhandbook.hpc.job_rules import JOBS, RANKS, SCRIPT, SOFTWARE, Job
from labhandbook.hpc.partition_limits import plural
from labhandbook.hpc.sbatch_options import srun_options

BEFORE = r"(?:^|[;&|(`]\s*|\b(?:if|then|do|exec|time|!)\s+)"
PLAIN = re.compile(BEFORE + r"(?:\w+=\S*\s+){0,9}(?:(?:singularity|apptainer)\s+(?:run|exec)\s+(?:\S+\s+){0,20}?)?"
                   r"(?:python[\d.]*|Rscript)\s")
# What starts a program on other nodes or for other tasks.
LAUNCHES = re.compile(r"\b(?:srun|mpirun|mpiexec\w*|orterun|prun|ssh|pdsh|parallel|xargs|sbatch|hq|ray|dask|"
                      r"deepspeed|accelerate|charmrun|horovodrun|aprun)\b")
OWN_NUMBER = re.compile(r"(?<!\\)\$\{?(SLURM_(?:LOCALID|NODEID|PROCID))\b")
TRIVIAL = re.compile(r"^(?:echo|date|printf|done|fi|esac|exit|true|:|\w+=\S*$|\}|\)|sacct|seff)\b|^[})]$")
SIGNALS = re.compile(r"\btrap\s+.{0,500}?\b(?:SIG)?(?:USR1|USR2|TERM)\b")
MPI = re.compile(BEFORE + r"(mpirun|mpiexec)\b")
LOADS = re.compile(r"\bmodule\s+(?:load|add)\s+(.*)")


def _several(job: Job) -> str:
    """`4 nodes` or `8 tasks` where a job has several, else ""."""
    if not job.request or job.script.parts:
        return ""
    nodes = (job.request.nodes or (1, 1))[0]
    tasks = max(job.request.tasks or 1, (job.request.tasks_per_node or 1) * nodes)
    return plural(nodes, "node") if nodes > 1 else plural(tasks, "task") if tasks > 1 else ""


@JOBS.rule("HPC070", "A job of several nodes or tasks starts its program with srun", section=RANKS, severity=WARNING,
           why="Without srun the program runs once, on the first node; other nodes are idle and billed.",
           fix="Write srun before the program, or ask for one node and one task.")
def launched(job: Job) -> Iterator[At]:
    """Several nodes or tasks, and Python started without anything that reaches them."""
    several = _several(job)
    if not several or any(LAUNCHES.search(text) for _, text in job.script.commands):
        return
    for line, text in job.script.commands:
        if PLAIN.search(text) and not re.search(r"\s(?:--version|-V|-c)\b|\s-m\s+(?:venv|pip)\b", text):
            own = "" if "node" in several else ", or ask for --cpus-per-task if it uses all cores itself"
            yield At(f"{several} requested, and the program starts once: write srun before it{own}", line=line)
            return


@JOBS.rule("HPC071", "The number of a process is read in the process", section=RANKS, severity=WARNING,
           why="The shell of the script fills in its own number: all processes get 0.",
           fix="Put the command into single quotes, as srun bash -c '... $SLURM_LOCALID ...', or write \\$.")
def own_number(job: Job) -> Iterator[At]:
    """`$SLURM_LOCALID` and its like where the script's own shell expands them."""
    if not _several(job):
        return
    for line, text in _expanded(job):
        if (match := OWN_NUMBER.search(text)) and not re.match(r"\s*(?:echo|printf)\b", text):
            yield At(f"${match[1]} is filled in once, by the script's own shell", line=line)


def _expanded(job: Job) -> Iterator[tuple[int, str]]:
    """The commands without what single quotes keep from the shell, which may go over several lines."""
    inside = ""
    for line, text in job.script.commands:
        kept, escaped = [], False
        for sign in text:
            if inside != "'":
                kept.append(sign)
            if escaped:
                escaped = False
            elif sign == "\\" and inside != "'":
                escaped = True
            elif sign == inside:
                inside = ""
            elif sign in "'\"" and not inside:
                inside = sign
        yield line, "".join(kept)


@JOBS.rule("HPC022", "--gpus-per-task comes with the number of tasks", section=SCRIPT, why="Slurm refuses the job.",
           fix="Add --ntasks, or ask with --gpus-per-node.",
           source="sbatch: --gpus-per-task used without either --gpus or -n/--ntasks")
def gpus_of_tasks(job: Job) -> Iterator[At]:
    """GPUs for each task of an unknown number of tasks."""
    option = job.script.option("gpus-per-task") if job.request is None or job.request.gpus_per_task else None
    if option and not any(map(job.script.option, ("ntasks", "nodes", "ntasks-per-node", "gpus"))):
        yield At("--gpus-per-task without --ntasks", line=option.line)


@JOBS.rule("HPC072", "Processes that number their GPUs see all GPUs of the node", section=RANKS, severity=WARNING,
           why="With --gpus-per-task each process sees only its own GPU, as number 0: LOCAL_RANK 1 finds none, and "
               "GPUs can't reach each other.",
           fix="Ask with --gpus-per-node, and let each process take the GPU of its LOCAL_RANK.")
def gpus_seen(job: Job) -> Iterator[At]:
    """`--gpus-per-task` in a job of several tasks that read LOCAL_RANK."""
    if not _several(job) or not any(re.search(r"\bLOCAL_RANK=", text) for _, text in job.script.commands):
        return
    if option := job.script.option("gpus-per-task"):
        yield At("--gpus-per-task hides the GPUs that LOCAL_RANK counts", line=option.line)
    for line, text in job.script.commands:
        if "srun" in text and "gpus-per-task" in srun_options(text):
            yield At("--gpus-per-task hides the GPUs that LOCAL_RANK counts", line=line)


@JOBS.rule("HPC073", "MPI programs are started with srun", section=RANKS, severity=WARNING,
           why="srun knows the job's nodes, cores and GPUs; mpirun may put all processes on one core, or be missing.",
           fix="Write srun in place of mpirun and its -np.")
def mpi(job: Job) -> Iterator[At]:
    """`mpirun` at the start of a command."""
    for line, text in job.script.commands:
        if match := MPI.search(text):
            yield At(f"{match[1]} under Slurm: write srun", line=line)


@JOBS.rule("HPC074", "A script waits for what it runs in the background", section=SCRIPT,
           why="The job ends with the script's last command, and Slurm kills what still runs in the background.",
           fix="Add wait below it.")
def waits(job: Job) -> Iterator[At]:
    """A script whose last work runs in the background, without `wait`."""
    commands = job.script.commands
    if any(re.search(r"\bwait\b", text) for _, text in commands):
        return
    work = [(line, text) for line, text in commands if not TRIVIAL.match(text)]
    if work and re.search(r"(?<![&>])&\s*(?:done|fi|\})?$", work[-1][1]):
        yield At("the job ends at once: nothing waits for the last command", line=work[-1][0])


@JOBS.rule("HPC075", "A trap can run while the program runs", section="sec-job-scripts-requeue", severity=WARNING,
           why="bash runs a trap only after the command in the foreground has ended, which is too late to save.",
           fix="Run the program in the background with &, and wait for it.")
def trapped(job: Job) -> Iterator[At]:
    """A trap for a signal before the time limit, and nothing in the background."""
    if any(re.search(r"(?<![&>])&\s*$|\bwait\b", text) for _, text in job.script.commands):
        return
    for line, text in job.script.commands:
        if SIGNALS.search(text):
            yield At("the trap runs only when the program has ended", line=line)


@JOBS.rule("HPC076", "Variables and modules are those of the cluster", section=SOFTWARE, severity=WARNING,
           why="A name from another system does not exist here, or has no effect.",
           fix="Use what the message names.")
def names(job: Job) -> Iterator[At]:
    """Variables and modules that the cluster replaces."""
    cluster = job.cluster
    words = "|".join(map(re.escape, cluster.variables))
    used = re.compile(rf"(?:\$\{{?|\b)(?P<name>{words})(?P<set>=)?\b|(?P<never>$^)") if words else None
    for line, text in job.script.commands:
        for match in used.finditer(text) if used else ():
            name, reserved = match["name"], job.request and "nvme" in job.request.other_gres
            if name and (match["set"] or text[match.start()] == "$") and not reserved:
                yield At(f"{name} on {cluster.name}: {cluster.variables[name]}", line=line)
                break
        if loaded := LOADS.search(text):
            for module in re.findall(r"[^\s;&|]+", loaded[1]):
                if instead := cluster.modules.get(module.partition("/")[0]):
                    yield At(f"module {module} on {cluster.name}: {instead}", line=line)
