#!/bin/bash
# cluster: roihu
# expect: HPC018:5 use $TMPDIR
#SBATCH --partition=gpumedium --time=00:05:00 --cpus-per-task=72
#SBATCH --gres=gpu:gh200:1,nvme:100

true
