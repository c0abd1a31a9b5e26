#!/bin/bash
# cluster: roihu
# expect: HPC030:7 more cost nothing
#SBATCH --partition=gpumedium
#SBATCH --time=00:05:00
#SBATCH --gres=gpu:gh200:1
#SBATCH --cpus-per-task=1

true
