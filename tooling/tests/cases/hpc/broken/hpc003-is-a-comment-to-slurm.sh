#!/bin/bash
# expect: HPC003:9 is a comment to Slurm
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

# SBATCH --nodes=1
