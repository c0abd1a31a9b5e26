#!/bin/bash
# expect: HPC011:7 the handbook does not describe LUMI fmr
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --partition=fmr

true
