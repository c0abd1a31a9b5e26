#!/bin/bash
# cluster: roihu
# expect: HPC018:7 write --gres=gpu:gh200:1
#SBATCH --partition=gpumedium
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:v100:1

true
