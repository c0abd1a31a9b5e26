#!/bin/bash
# expect: HPC051:9 without a pause
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

until sacct -j 1 | grep -q COMPLETED; do :; done
