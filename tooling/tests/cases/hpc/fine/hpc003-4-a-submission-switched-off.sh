#!/bin/bash
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

true
#sbatch --dependency=afterok:1 plot.sh
##SBATCH --time=00:01:00
