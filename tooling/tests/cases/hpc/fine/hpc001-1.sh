#!/bin/bash
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --ntasks-per-node=1
#SBATCH -N 1
#SBATCH -c1
#SBATCH --no-kill
#SBATCH --nice

true
