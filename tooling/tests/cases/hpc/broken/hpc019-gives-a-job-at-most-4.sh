#!/bin/bash
# cluster: roihu
# expect: HPC019:7 gives a job at most 4
#SBATCH --partition=gpumedium
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:gh200:4
#SBATCH --nodes=2

true
