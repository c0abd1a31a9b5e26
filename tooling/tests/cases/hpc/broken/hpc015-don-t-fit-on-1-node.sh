#!/bin/bash
# expect: HPC015:9 don't fit on 1 node
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --nodes=1
#SBATCH --ntasks=8
#SBATCH --ntasks-per-node=4

true
