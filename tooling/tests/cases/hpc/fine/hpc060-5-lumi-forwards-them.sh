#!/bin/bash
#SBATCH --partition=small-g --time=00:05:00 --mem=32G --cpus-per-task=7
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --gpus-per-node=1

srun python -m train
