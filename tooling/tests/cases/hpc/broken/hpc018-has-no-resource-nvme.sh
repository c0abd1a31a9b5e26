#!/bin/bash
# cluster: roihu
# expect: HPC018:7 has no resource nvme
#SBATCH --partition=gpumedium
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:gh200:1,nvme:100

true
