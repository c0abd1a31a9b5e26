#!/bin/bash
# cluster: roihu
#SBATCH --partition=gpumedium
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:gh200:1
#SBATCH --mail-type=NONE

true
