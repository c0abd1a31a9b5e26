#!/bin/bash
# expect: HPC004:7 is not an amount of memory
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --mem=1.5G

true
