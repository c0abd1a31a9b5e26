#!/bin/bash
# expect: HPC070:7 4 nodes requested
#SBATCH --partition=small --time=00:05:00 --mem=1G --nodes=4
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append

module load cray-python
python train.py
