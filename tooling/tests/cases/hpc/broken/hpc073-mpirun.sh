#!/bin/bash
# expect: HPC073:6 write srun
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append

mpirun -np 4 ./simulate
