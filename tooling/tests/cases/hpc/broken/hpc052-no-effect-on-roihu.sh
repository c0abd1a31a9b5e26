#!/bin/bash
# cluster: roihu
# expect: HPC052:8 no effect on Roihu
#SBATCH --partition=gpumedium
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:gh200:1
#SBATCH --mail-type=END

true
