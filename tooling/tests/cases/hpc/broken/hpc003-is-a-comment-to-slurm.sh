#!/bin/bash
# expect: HPC003:5 is a comment to Slurm
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#sbatch --nodes=1

true
