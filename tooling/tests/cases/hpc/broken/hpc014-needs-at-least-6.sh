#!/bin/bash
# cluster: roihu
# expect: HPC030:8
# expect: HPC017:9
# expect: HPC020:10
# expect: HPC014:11 needs at least 6
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:gh200:1
#SBATCH --partition=large
#SBATCH --nodes=5

true
