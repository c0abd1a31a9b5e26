#!/bin/bash
# expect: HPC001:8 --argos is not an option of sbatch
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --argos=no

true
