#!/bin/bash
# expect: HPC004:8 is not a list of array tasks
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --array=4-0

true
