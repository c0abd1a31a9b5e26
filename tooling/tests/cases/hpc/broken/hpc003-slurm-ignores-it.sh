#!/bin/bash
# expect: HPC003:10 Slurm ignores it
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

true
#SBATCH --nodes=1
