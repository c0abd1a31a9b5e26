"""The rules of job scripts: what must hold before a script is handed to a cluster's Slurm."""

from __future__ import annotations

from labhandbook.core.rules import Rule, Severity, register

WARNING = Severity.WARNING
SCRIPT, PARTITION, COST = "sec-hpc-workflow-script", "sec-hpc-workflow-partition", "sec-hpc-workflow-cost"
LOGS, POLLING, SOFTWARE = "sec-hpc-workflow-logs", "sec-commands-polling", "sec-hpc-workflow-software"

UNKNOWN = register(Rule(
    "HPC001", "Every option is one that sbatch knows",
    "Slurm refuses the whole script for one option it doesn't know.",
    "Correct the option; `man sbatch` lists them all.", SCRIPT))
SHORTENED = register(Rule(
    "HPC002", "Options are written in full",
    "Slurm completes a shortened option silently, so a typing error may become another option than you meant.",
    "Write the option in full.", SCRIPT))
LATE = register(Rule(
    "HPC003", "Options stand above the first command",
    "Slurm stops reading at the first command and ignores every #SBATCH line below it.",
    "Move the line up, above the first command.", SCRIPT))
VALUE = register(Rule(
    "HPC004", "Every value is one that Slurm can read",
    "Slurm refuses the script, or takes a number for another unit.",
    "Write the value as the message says.", SCRIPT))
LITERAL = register(Rule(
    "HPC005", "No #SBATCH line holds a variable or a placeholder",
    "The line is read before any shell runs: Slurm takes the text as it stands.",
    "Write the value itself, leave the account to SBATCH_ACCOUNT, or give the option to sbatch on the command line.",
    "sec-hpc-workflow-project"))
PLACEHOLDER = register(Rule(
    "HPC006", "No command has a bare placeholder",
    "To the shell <name> is redirection: it reads one file and overwrites another.",
    'Write "${NAME:?set NAME to ...}": unset, it stops the job with a message.', SCRIPT))
SHEBANG = register(Rule(
    "HPC007", "The script begins with #! and has Unix line ends",
    "sbatch refuses a script without an interpreter or with DOS line breaks.",
    "Begin with #!/bin/bash, and convert the file with dos2unix.", SCRIPT))
RETIRED = register(Rule(
    "HPC010", "The cluster still runs jobs",
    "A system that was switched off runs nothing.",
    "Move the job to the system that replaced it.", "sec-systems-retired"))
NO_PARTITION = register(Rule(
    "HPC011", "The partition is one of the cluster's",
    "Slurm refuses a job without a partition or with one that the cluster hasn't.",
    "Name a partition of this cluster.", PARTITION))
TIME = register(Rule(
    "HPC012", "The time limit is within the partition's",
    "Slurm refuses the job, or leaves it waiting with PartitionTimeLimit.",
    "Ask for less time and continue from checkpoints, or take a partition with a longer limit.", PARTITION))
NO_TIME = register(Rule(
    "HPC013", "The script says how long it may run",
    "Without --time the partition's default holds, which may be minutes or days.",
    "Add --time=hours:minutes:seconds, a little above what a test run took.", PARTITION, WARNING))
NODES = register(Rule(
    "HPC014", "The number of nodes is within the partition's limits",
    "Slurm refuses the job.",
    "Ask for a number of nodes that the partition gives.", PARTITION))
CORES = register(Rule(
    "HPC015", "The cores fit on the nodes",
    "Slurm answers: Requested node configuration is not available.",
    "Ask for fewer cores or tasks on a node, or for more nodes.", PARTITION))
MEMORY = register(Rule(
    "HPC016", "The memory fits on the nodes",
    "Slurm answers: Memory required by task is not available.",
    "Ask for less memory on a node, or spread the work over more nodes.", PARTITION))
GPUS = register(Rule(
    "HPC017", "The GPUs fit on the nodes",
    "Slurm answers: Requested node configuration is not available.",
    "Ask for at most the GPUs of a node on each node, in a partition that has GPUs.", PARTITION))
GPU_NAME = register(Rule(
    "HPC018", "GPUs are asked for as the cluster names them",
    "Slurm answers: Invalid generic resource (gres) specification, or gives another number than you meant.",
    "Ask as the message says.", SCRIPT))
SHARE = register(Rule(
    "HPC019", "The job keeps to the limits of one job and one account",
    "The cluster refuses the job when it is submitted, or leaves it waiting with a QOS reason.",
    "Ask for a number that the partition allows.", PARTITION))
PERMIT = register(Rule(
    "HPC020", "The project may use the partition",
    "The partition is open only to projects that have shown that their program scales.",
    "Apply to the cluster's support first, or take another partition.", PARTITION, WARNING))
ARRAY_SIZE = register(Rule(
    "HPC021", "An array has no more tasks than the account may submit",
    "Each task counts as a job: Slurm answers AssocMaxSubmitJobLimit.",
    "Give one task several runs, or submit the array in parts.", "sec-hpc-workflow-array"))
CORES_PER_GPU = register(Rule(
    "HPC030", "The cores are in proportion to the GPUs",
    "More than a fair share of cores blocks or bills GPUs that you don't use; far fewer starve the data loader.",
    "Ask for the fair share of cores for each GPU.", COST, WARNING))
MEMORY_PER_GPU = register(Rule(
    "HPC031", "The memory is in proportion to the GPUs",
    "More than a fair share of memory blocks or bills GPUs that you don't use.",
    "Ask for the fair share of memory for each GPU, or for as many GPUs as you pay for.", COST, WARNING))
WHOLE_NODES = register(Rule(
    "HPC032", "Whole nodes are used as a whole",
    "The partition gives and bills whole nodes, however little of them the script asks for.",
    "Use all of the node, or take a partition that shares nodes.", COST))
LOG_FOLDER = register(Rule(
    "HPC040", "The folder of the log exists",
    "Slurm opens the log before the script runs: without the folder the job fails with 0:53 and leaves no log.",
    "Create the folder before you submit.", LOGS))
LOG_NAME = register(Rule(
    "HPC041", "The log's name fits the kind of job",
    "%A and %a belong to arrays; without a task's number all tasks of an array write into one file.",
    "Use %x_%j for a plain job and %x_%A_%a for an array.", LOGS))
APPEND = register(Rule(
    "HPC042", "A job that starts again keeps its log",
    "A requeued job begins its log anew and erases what was in it.",
    "Add --open-mode=append.", LOGS, WARNING))
COMMAND = register(Rule(
    "HPC050", "Every command exists on the cluster",
    "The job stops, or goes on without what the command should have done.",
    "Use what the message names.", "sec-commands-sacct"))
POLL = register(Rule(
    "HPC051", "Nothing polls Slurm",
    "Every question goes to the one program that starts everyone's jobs.",
    "Ask at most once a minute, or let --dependency start the next job.", POLLING))
MAIL = register(Rule(
    "HPC052", "Mail is asked for with care",
    "A mail for each task of an array, or to nobody, helps nobody.",
    "Ask for END,FAIL of single jobs; look at arrays with sacct.", POLLING, WARNING))
PLACE = register(Rule(
    "HPC053", "Environments lie where the cluster wants them",
    "An environment is tens of thousands of small files: slow and cleaned on scratch, too many for the home folder.",
    "Put it, packed into a container, into the area that the message names.", SOFTWARE))
INSTALL = register(Rule(
    "HPC054", "A job installs nothing",
    "It pays for the download in billed time, and arrays write into one environment at once.",
    "Set up the environment once, on the login node, before you submit.", SOFTWARE, WARNING))
SRUN_CORES = register(Rule(
    "HPC060", "srun is told the cores of a task",
    "srun doesn't inherit --cpus-per-task from the script since Slurm 22.05: the program may get a single core.",
    'Write srun --cpus-per-task="$SLURM_CPUS_PER_TASK".', SCRIPT, WARNING))
MODULE = register(Rule(
    "HPC061", "python -m names a module",
    "python -m wants a module's name and not a file's: it looks for a package with a module py in it.",
    "Leave .py out, or leave -m out.", SCRIPT))

# What sbatch itself refuses; the others run and waste, or are refused by a site's own limits.
REFUSED = frozenset(rule.code for rule in (UNKNOWN, VALUE, SHEBANG, NO_PARTITION, TIME, NODES, CORES, MEMORY, GPUS,
                                           GPU_NAME))
