#!/bin/bash
# expect: HPC002:8 Slurm reads --ntasks-per-nod as --ntasks-per-node
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --ntasks-per-nod=1

true
