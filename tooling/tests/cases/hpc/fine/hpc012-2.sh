#!/bin/bash
#SBATCH --partition=small
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --time=72:00:00

true
