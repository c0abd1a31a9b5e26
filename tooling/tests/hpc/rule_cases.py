"""For every rule of job scripts a seeded defect, with its line, and a near miss that passes."""

from __future__ import annotations

from dataclasses import dataclass

LUMI_CPU = ("--partition=small", "--time=00:05:00", "--mem=1G", "--output=slurm_log/%x_%j.out", "--open-mode=append")
LUMI_GPU = ("--partition=small-g", "--time=00:05:00", "--cpus-per-task=7", "--gpus-per-node=1", "--mem=32G")
ROIHU_GPU = ("--partition=gpumedium", "--time=00:05:00", "--cpus-per-task=72", "--gres=gpu:gh200:1")


@dataclass(frozen=True)
class Case:
    """A script, its cluster, and of a defect the line and the words of its finding."""

    text: str
    cluster: str = "lumi"
    line: int = 0
    says: str = ""
    folders: tuple[str, ...] = ("slurm_log",)


def script(options: tuple[str, ...], *more: str, body: str = "true", head: str = "#!/bin/bash\n") -> str:
    """A script; its options begin on line 2, those of `more` replace or follow."""
    names = {option.partition("=")[0] for option in more}
    kept = [option for option in options if option.partition("=")[0] not in names]
    return head + "".join(f"#SBATCH {option}\n" for option in (*kept, *more)) + f"\n{body}\n"


def cpu(*more: str, body: str = "true") -> str:
    return script(LUMI_CPU, *more, body=body)


def gpu(*more: str, body: str = "true") -> str:
    return script(LUMI_GPU, *more, body=body)


def roihu(*more: str, body: str = "true") -> str:
    return script(ROIHU_GPU, *more, body=body)


SEEDED: dict[str, list[Case]] = {
    "HPC001": [Case(cpu("--ntask-per-node=1"), line=7, says="did you mean --ntasks-per-node?"),
               Case(cpu("--n=1"), line=7, says="it may be"),
               Case(cpu("--requeue=yes"), line=7, says="takes no value"),
               Case(cpu("--comment='open"), line=7, says="can't be read")],
    "HPC002": [Case(cpu("--ntasks-per-nod=1"), line=7, says="Slurm reads --ntasks-per-nod as --ntasks-per-node")],
    "HPC003": [Case(cpu(body="true\n#SBATCH --nodes=1"), line=9, says="is ignored"),
               Case(cpu(body="# SBATCH --nodes=1"), line=8, says="is a comment to Slurm")],
    "HPC004": [Case(cpu("--time=5h"), line=6, says="write hours:minutes:seconds"),
               Case(cpu("--mem=1.5G"), line=6, says="is not an amount of memory"),
               Case(cpu("--array=4-0"), line=7, says="is not a list of array tasks"),
               Case(cpu("--signal=SAVE@60"), line=7, says="is no signal")],
    "HPC005": [Case(cpu("--account=<project>"), line=7, says="placeholder <project>"),
               Case(cpu("--account=$PROJECT"), line=7, says="nothing fills in the variable")],
    "HPC006": [Case(cpu(body='cd "/scratch/<project>"'), line=8, says="<project> is a bare placeholder")],
    "HPC007": [Case(script(LUMI_CPU, head=""), line=1, says="is not #!"),
               Case(cpu().replace("\n", "\r\n"), line=1, says="DOS line breaks")],
    "HPC010": [Case(cpu(), "mahti", 0, "Roihu has replaced it")],
    "HPC011": [Case(script(LUMI_CPU[1:]), says="no partition is named"),
               Case(cpu("--partition=largemem"), line=6, says="the handbook doesn't know LUMI largemem"),
               Case(cpu("--partition=smal"), line=6, says="did you mean small?")],
    "HPC012": [Case(cpu("--time=3-00:00:01"), line=6, says="allows 3 days"),
               Case(cpu("--time=0"), line=6, says="zero")],
    "HPC013": [Case(script(LUMI_CPU[:1]), says="no --time")],
    "HPC014": [Case(cpu("--nodes=5"), line=7, says="at most 4"),
               Case(roihu("--partition=large", "--nodes=5"), "roihu", 6, "begins at 6")],
    "HPC015": [Case(cpu("--cpus-per-task=129"), line=7, says="at most 128"),
               Case(cpu("--nodes=1", "--ntasks=8", "--ntasks-per-node=4"), line=8, says="don't fit on 1 node"),
               Case(script(LUMI_CPU, "--partition=longrun", "--cpus-per-task=193"), "roihu", 7, "at most 192")],
    "HPC016": [Case(gpu("--mem=481G"), line=6, says="at most 480 GiB"),
               Case(cpu("--mem-per-cpu=1G"), line=4, says="only one may be given")],
    "HPC017": [Case(gpu("--gpus-per-node=9"), line=6, says="a node has 8"),
               Case(cpu("--gpus-per-node=1"), line=7, says="has no GPUs")],
    "HPC018": [Case(roihu("--gres=gpu:v100:1"), "roihu", 5, "write --gres=gpu:gh200:1"),
               Case(roihu("--gres=gpu:gh200:1,nvme:100"), "roihu", 5, "has no resource nvme")],
    "HPC019": [Case(roihu("--gres=gpu:gh200:4", "--nodes=2"), "roihu", 5, "gives a job at most 4"),
               Case(script(LUMI_CPU, "--partition=small-g"), line=6, says="asks for no GCD")],
    "HPC020": [Case(roihu("--partition=gpularge", "--gres=gpu:gh200:4"), "roihu", 4,
                    "needs a scalability test first")],
    "HPC021": [Case(cpu("--array=0-220", "--output=slurm_log/%A_%a"), line=6, says="takes 220 jobs")],
    "HPC030": [Case(gpu("--cpus-per-task=16"), line=6, says="a fair share is 7"),
               Case(roihu("--cpus-per-task=1"), "roihu", 5, "more cost nothing")],
    "HPC031": [Case(gpu("--mem=128G"), line=6, says="a fair share is 60 GiB")],
    "HPC032": [Case(gpu("--partition=standard-g", "--time=05:00:00", "--cpus-per-task=16"), line=4,
                    says="1 of 8 GCDs used on 1 whole node: 20 GPU-hours, and 2.5 GPU-hours with "
                         "--partition=small-g --cpus-per-task=7"),
               Case(script(LUMI_CPU, "--partition=medium"), "roihu", 6, "1 of 384 cores used"),
               Case(cpu("--exclusive"), line=7, says="1 of 128 cores")],
    "HPC040": [Case(cpu(), line=5, says="mkdir -p slurm_log", folders=()),
               Case(cpu("--error=errors/%j.err"), line=7, says="mkdir -p errors")],
    "HPC041": [Case(cpu("--output=slurm_log/%x_%A.out"), line=6, says="write %j"),
               Case(cpu("--array=0-4", "--output=slurm_log/%x.out"), line=7, says="add %A_%a")],
    "HPC042": [Case(cpu("--open-mode=truncate"), line=5, says="begins anew"),
               Case(roihu("--requeue", "--output=slurm_log/%j"), "roihu", 6, "starts itself again")],
    "HPC050": [Case(cpu(body='seff "$SLURM_JOB_ID"'), line=8, says="LUMI has no seff"),
               Case(cpu(body="slurm history 7d"), line=8, says="no slurm history"),
               Case(cpu(body="salloc --nodes=1"), line=8, says="leaves you on the login node"),
               Case(cpu(body="srun nvidia-smi"), line=8, says="use rocm-smi"),
               Case(roihu(body="csc-projects; lumi-allocations"), "roihu", 7, "no lumi-allocations")],
    "HPC051": [Case(cpu(body="watch squeue --me"), line=8, says="every 2 seconds"),
               Case(cpu(body="while squeue -j 1 | grep -q 1; do\n  sleep 5\ndone"), line=8, says="every 5 seconds"),
               Case(cpu(body="until sacct -j 1 | grep -q COMPLETED; do :; done"), line=8, says="without a pause")],
    "HPC052": [Case(roihu("--mail-type=END"), "roihu", 6, "no effect on Roihu"),
               Case(cpu("--array=0-9", "--output=slurm_log/%A_%a", "--mail-type=ALL"), line=8, says="write END,FAIL"),
               Case(cpu("--mail-user=a@example.org"), line=7, says="sends nothing")],
    "HPC053": [Case(cpu(body='export PATH="/scratch/project_1/env/bin:$PATH"'), line=8, says="belong on /project"),
               Case(cpu(body="source ~/venv/bin/activate"), line=8, says="LUMI's home"),
               Case(roihu(body="/scratch/p/env/bin/python train.py"), "roihu", 7, "belong on /projappl"),
               Case(cpu(body="export VENV=/tmp/venv"), line=8, says="LUMI's tmp")],
    "HPC054": [Case(cpu(body="pip install numpy"), line=8, says="installs software"),
               Case(cpu(body="conda create -n x python"), line=8, says="installs software")],
    "HPC060": [Case(gpu(body="srun python -m train"), line=8, says="isn't told the 7 cores")],
    "HPC061": [Case(cpu(body="srun python -m train.py"), line=8, says="write python -m train")],
}

NEAR: dict[str, list[Case]] = {
    "HPC001": [Case(cpu("--ntasks-per-node=1", "-N 1", "-c1", "--exclusive=user", "--no-kill"))],
    "HPC002": [Case(cpu("--ntasks-per-node=1", "-n1", "--mem=1G"))],
    "HPC003": [Case(cpu(body="# SBATCH lines stand above\n##SBATCH --nodes=1\ncat <<EOF\n#SBATCHX --nodes=1\nEOF"))],
    "HPC004": [Case(cpu("--time=1-02", "--mem=500", "--array=1,3,5-9:2%2", "--signal=B:SIGUSR1@60", "--mem=1GB"))],
    "HPC005": [Case(cpu("--account=project_465000001", "--comment='a < b'"))],
    "HPC006": [Case(cpu(body="sort <in >out\ncat <<EOF\n<b>\nEOF\necho '<b>'"))],
    "HPC007": [Case(script(LUMI_CPU, head="#!/usr/bin/env bash\n"))],
    "HPC010": [Case(cpu(), "roihu")],
    "HPC011": [Case(cpu("--partition=small,debug"))],
    "HPC012": [Case(cpu("--time=3-00:00:00")), Case(cpu("--time=72:00:00"))],
    "HPC013": [Case(cpu("-t 5"))],
    "HPC014": [Case(cpu("--nodes=1-4")), Case(cpu("--ntasks=2", "--nodes=2"))],
    "HPC015": [Case(cpu("--cpus-per-task=128")), Case(cpu("--ntasks=8", "--ntasks-per-node=4", "--nodes=2"))],
    "HPC016": [Case(gpu("--mem=480G")), Case(cpu("--mem=0"))],
    "HPC017": [Case(gpu("--gpus-per-node=8", "--cpus-per-task=56"))],
    "HPC018": [Case(roihu(), "roihu"), Case(gpu()),
               Case(script(LUMI_CPU, "--partition=gpu", "--gpus=a100:1"), "turso")],
    "HPC019": [Case(roihu("--gres=gpu:gh200:2", "--nodes=2"), "roihu")],
    "HPC020": [Case(roihu(), "roihu")],
    "HPC021": [Case(cpu("--array=0-219", "--output=slurm_log/%A_%a"))],
    "HPC030": [Case(gpu("--cpus-per-task=14", "--gpus-per-node=2")), Case(gpu("--cpus-per-task=1")),
               Case(roihu("--cpus-per-task=36"), "roihu")],
    "HPC031": [Case(gpu("--mem=60G")), Case(gpu("--partition=standard-g", "--gpus-per-node=8", "--mem=480G"))],
    "HPC032": [Case(gpu("--partition=standard-g", "--gpus-per-node=8", "--cpus-per-task=56")),
               Case(script(LUMI_CPU, "--partition=medium", "--cpus-per-task=200"), "roihu")],
    "HPC040": [Case(cpu("--output=%x_%j.out"), folders=()), Case(cpu("--output=/dev/null"), folders=())],
    "HPC041": [Case(cpu()), Case(cpu("--array=0-4", "--output=slurm_log/%x_%A_%a.out")),
               Case(cpu("--array=0-4", "--output=/dev/null"))],
    "HPC042": [Case(cpu()), Case(roihu("--output=slurm_log/%j"), "roihu"),
               Case(cpu("--open-mode=t", "--no-requeue"))],
    "HPC050": [Case(roihu(body='seff "$SLURM_JOB_ID"'), "roihu"), Case(cpu(body="echo seff is not here # seff")),
               Case(cpu(body="rocm-smi"))],
    "HPC051": [Case(cpu(body="watch -n 60 squeue --me")), Case(cpu(body="while squeue -h -j 1; do sleep 2m; done")),
               Case(cpu(body="while read -r x; do echo $x; done\nsqueue --me")),
               Case(cpu(body="for job in 1 2; do scontrol show job $job; done"))],
    "HPC052": [Case(cpu("--mail-type=END,FAIL", "--mail-user=a@example.org")),
               Case(roihu("--mail-type=NONE"), "roihu")],
    "HPC053": [Case(cpu(body='export PATH="/project/project_1/env/bin:$PATH"\ncd /scratch/project_1')),
               Case(cpu(body='source "$VENV/bin/activate"\ndata=/scratch/project_1/data')),
               Case(cpu(body="PATH=/scratchy/bin:$PATH"))],
    "HPC054": [Case(cpu(body="pip list\nconda activate x\necho pip install numpy"))],
    "HPC060": [Case(gpu(body='srun --cpus-per-task="$SLURM_CPUS_PER_TASK" python -m train')),
               Case(cpu(body="srun python -m train")), Case(gpu(body="export SRUN_CPUS_PER_TASK=7\nsrun hostname"))],
    "HPC061": [Case(cpu(body="python train.py\npython -m train --config a.py"))],
}
