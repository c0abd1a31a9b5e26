#!/bin/bash
# cluster: roihu
# expect: HPC018:5 write --gres=gpu:gh200:4
#SBATCH --partition=gpumedium --time=00:05:00 --cpus-per-task=288
#SBATCH --gres=gpu:a100:4

true
