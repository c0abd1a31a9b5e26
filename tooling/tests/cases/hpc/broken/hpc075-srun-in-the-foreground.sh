#!/bin/bash
# expect: HPC075:7
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --signal=B:USR1@300

trap 'scontrol requeue $SLURM_JOB_ID' USR1
srun python train.py
