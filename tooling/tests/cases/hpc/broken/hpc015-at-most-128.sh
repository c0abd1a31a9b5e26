#!/bin/bash
# expect: HPC015:8 at most 128
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=129

true
