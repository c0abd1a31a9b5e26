#!/bin/bash
# cluster: roihu
#SBATCH --partition=gpumedium
#SBATCH --gres=gpu:gh200:1 --cpus-per-task=72
#SBATCH --time=00:05:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --argos=no

srun --argos=no nsys profile python3 train.py
