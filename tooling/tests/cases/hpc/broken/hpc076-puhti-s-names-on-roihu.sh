#!/bin/bash
# cluster: roihu
# expect: HPC076:8 python-pytorch
# expect: HPC076:9 use $TMPDIR
# expect: HPC076:10
#SBATCH --partition=gpumedium --time=00:05:00 --cpus-per-task=72 --gres=gpu:gh200:1

module load pytorch
cd $LOCAL_SCRATCH
cp "${LOCAL_SCRATCH}/a" .
