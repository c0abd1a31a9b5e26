#!/bin/bash
# expect: HPC051:9 every 5 seconds
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

while squeue -j 1 | grep -q 1; do
  sleep 5
done
