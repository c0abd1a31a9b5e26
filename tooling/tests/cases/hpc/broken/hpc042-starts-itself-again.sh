#!/bin/bash
# cluster: roihu
# expect: HPC042:8 starts itself again
#SBATCH --partition=gpumedium
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:gh200:1
#SBATCH --requeue
#SBATCH --output=slurm_log/%j

true
