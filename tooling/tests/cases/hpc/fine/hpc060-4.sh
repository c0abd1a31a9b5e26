#!/bin/bash
# cluster: turso
#SBATCH --partition=short --time=00:05:00 --cpus-per-task=7

srun -n 1 -c 7 --mpi pmi2 python -m train
srun --label -c"$SLURM_CPUS_PER_TASK" hostname
