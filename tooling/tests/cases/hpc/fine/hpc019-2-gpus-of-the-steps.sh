#!/bin/bash
#SBATCH --partition=standard-g --nodes=1 --time=00:05:00
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append

srun -n 2 --gpus-per-task=4 hostname
