#!/bin/bash
# expect: HPC004:8 is no signal
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --signal=SAVE@60

true
