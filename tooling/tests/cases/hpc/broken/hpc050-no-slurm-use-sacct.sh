#!/bin/bash
# expect: HPC050:9 no slurm: use sacct
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

slurm history 7d
