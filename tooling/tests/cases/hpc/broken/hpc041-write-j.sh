#!/bin/bash
# expect: HPC041:7 write %j
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --open-mode=append
#SBATCH --output=slurm_log/%x_%A.out

true
