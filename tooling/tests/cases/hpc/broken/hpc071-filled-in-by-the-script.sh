#!/bin/bash
# expect: HPC071:8
# expect: HPC071:9 $SLURM_LOCALID
#SBATCH --partition=small-g --time=00:05:00 --mem=120G --nodes=1 --ntasks-per-node=2 --cpus-per-task=7
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --gpus-per-node=2

export RANK=$SLURM_PROCID
srun bash -c "export LOCAL_RANK=$SLURM_LOCALID; python train.py"
