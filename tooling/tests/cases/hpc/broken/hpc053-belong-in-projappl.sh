#!/bin/bash
# cluster: roihu
# expect: HPC053:9 belong in /projappl
#SBATCH --partition=gpumedium
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:gh200:1

/scratch/p/env/bin/python train.py
