#!/bin/bash
# expect: HPC019:7 requests no GCD
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --partition=small-g

true
