#!/bin/bash
# cluster: puhti
# expect: HPC010:0 there -p gpu is -p gpumedium, GPUs are --gres=gpu:gh200:2, $TMPDIR replaces --gres=nvme and $LOCAL_SCRATCH, module pytorch is python-pytorch
#SBATCH --partition=gpu --time=00:05:00
#SBATCH --gres=gpu:v100:2,nvme:100

module load pytorch/2.6
true
