#!/bin/bash
# expect: HPC060:9 does not get the 7 cores
#SBATCH --partition=small-g
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=7
#SBATCH --gpus-per-node=1
#SBATCH --mem=32G

srun python -m train
