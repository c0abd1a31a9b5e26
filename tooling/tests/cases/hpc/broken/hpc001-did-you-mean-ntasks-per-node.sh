#!/bin/bash
# expect: HPC001:8 did you mean --ntasks-per-node?
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --ntask-per-node=1

true
