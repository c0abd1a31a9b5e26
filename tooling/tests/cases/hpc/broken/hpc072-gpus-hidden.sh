#!/bin/bash
# expect: HPC072:5
#SBATCH --partition=small-g --time=00:05:00 --mem=120G --ntasks=2 --cpus-per-task=7
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --gpus-per-task=1

srun bash -c 'LOCAL_RANK=$SLURM_LOCALID python train.py'
