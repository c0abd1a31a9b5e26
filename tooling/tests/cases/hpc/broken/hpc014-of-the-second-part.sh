#!/bin/bash
# expect: HPC014:5 at most 512
#SBATCH --partition=standard --time=00:05:00 --nodes=1 --ntasks-per-node=128
#SBATCH hetjob
#SBATCH --nodes=900 --ntasks-per-node=128

srun hostname
