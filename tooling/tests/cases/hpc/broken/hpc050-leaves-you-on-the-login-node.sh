#!/bin/bash
# expect: HPC050:9 leaves you on the login node
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

salloc --nodes=1
