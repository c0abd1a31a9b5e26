#!/bin/bash
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append

module load rocm
echo "CUDA_VISIBLE_DEVICES is not set"
