#!/bin/bash
# expect: HPC001:8 takes no value
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --requeue=yes

true
