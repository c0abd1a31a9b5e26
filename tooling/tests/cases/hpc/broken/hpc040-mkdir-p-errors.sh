#!/bin/bash
# expect: HPC040:8 mkdir -p errors
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --error=errors/%j.err

true
