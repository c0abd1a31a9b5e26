#!/bin/bash
# expect: HPC014:8 at most 4
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --nodes=5

true
