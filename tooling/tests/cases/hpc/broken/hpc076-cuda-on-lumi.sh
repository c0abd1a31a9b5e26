#!/bin/bash
# expect: HPC076:9 module cuda/12.2 on LUMI: the GPUs are AMD's
# expect: HPC076:10 CUDA_VISIBLE_DEVICES on LUMI
# expect: HPC076:11
# expect: HPC076:12 it is deprecated
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append

module load cuda/12.2 git
export CUDA_VISIBLE_DEVICES=0,1
export NCCL_NET_GDR_LEVEL=3
module load pytorch
