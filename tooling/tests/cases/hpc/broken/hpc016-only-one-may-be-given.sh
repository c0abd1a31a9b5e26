#!/bin/bash
# expect: HPC016:5 only one may be given
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --mem-per-cpu=1G

true
