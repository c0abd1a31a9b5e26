#!/bin/bash
# expect: HPC011:7 did you mean small?
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --partition=smal

true
