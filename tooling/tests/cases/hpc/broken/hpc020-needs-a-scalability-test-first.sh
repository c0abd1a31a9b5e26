#!/bin/bash
# cluster: roihu
# expect: HPC020:6 needs a scalability test first
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=72
#SBATCH --partition=gpularge
#SBATCH --gres=gpu:gh200:4

true
