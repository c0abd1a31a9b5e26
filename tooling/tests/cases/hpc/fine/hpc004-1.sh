#!/bin/bash
#SBATCH --partition=small
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --time=1-02
#SBATCH --mem=500
#SBATCH --array=1,3,5-9:2%2
#SBATCH --signal=B:SIGUSR1@60
#SBATCH --mem=1GB

true
