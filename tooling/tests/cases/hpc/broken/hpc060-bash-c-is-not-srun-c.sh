#!/bin/bash
# cluster: turso
# expect: HPC060:6
#SBATCH --partition=short --time=00:05:00 --cpus-per-task=7

srun --label bash -c 'python -m train'
