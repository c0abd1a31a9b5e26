#!/bin/bash
# cluster: turso
# expect: HPC060:6 does not get the 7 cores
#SBATCH --partition=short --time=00:05:00 --cpus-per-task=7

srun python -m train
