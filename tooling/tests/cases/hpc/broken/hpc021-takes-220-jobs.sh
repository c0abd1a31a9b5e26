#!/bin/bash
# expect: HPC021:7 takes 220 jobs
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --open-mode=append
#SBATCH --array=0-220
#SBATCH --output=slurm_log/%A_%a

true
