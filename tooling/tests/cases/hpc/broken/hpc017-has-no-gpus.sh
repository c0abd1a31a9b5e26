#!/bin/bash
# expect: HPC017:8 has no GPUs
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --gpus-per-node=1

true
