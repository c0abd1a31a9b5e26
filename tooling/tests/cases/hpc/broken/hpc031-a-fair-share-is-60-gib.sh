#!/bin/bash
# expect: HPC031:7 a fair share is 60 GiB
#SBATCH --partition=small-g
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=7
#SBATCH --gpus-per-node=1
#SBATCH --mem=128G

true
