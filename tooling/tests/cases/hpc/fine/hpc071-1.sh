#!/bin/bash
#SBATCH --partition=small-g --time=00:05:00 --mem=120G --nodes=1 --ntasks-per-node=2 --cpus-per-task=7
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --gpus-per-node=2

echo "node $SLURM_NODEID"
srun bash -c 'export LOCAL_RANK=$SLURM_LOCALID
    export RANK=$SLURM_PROCID
    exec python train.py'
srun bash -c "export LOCAL_RANK=\$SLURM_LOCALID; python train.py"
