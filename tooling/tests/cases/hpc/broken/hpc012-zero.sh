#!/bin/bash
# expect: HPC012:7 zero
#SBATCH --partition=small
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --time=0

true
