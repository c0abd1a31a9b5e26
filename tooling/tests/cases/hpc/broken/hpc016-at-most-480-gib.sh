#!/bin/bash
# expect: HPC016:8 at most 480 GiB
# expect: HPC031:8
#SBATCH --partition=small-g
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=7
#SBATCH --gpus-per-node=1
#SBATCH --mem=481G

true
