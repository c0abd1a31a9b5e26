#!/bin/bash
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
# SBATCH --reservation=course
##SBATCH --nodes=2

true
