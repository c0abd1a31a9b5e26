#!/bin/bash
#SBATCH --partition=standard --nodes=1 --time=00:05:00
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append

srun -n 128 hostname
