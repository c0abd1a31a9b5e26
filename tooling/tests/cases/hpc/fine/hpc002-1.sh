#!/bin/bash
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --ntasks-per-node=1
#SBATCH -n1
#SBATCH --mem=1G

true
