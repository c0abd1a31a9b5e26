#!/bin/bash
# expect: HPC061:9 write python -m train
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

srun python -m train.py
