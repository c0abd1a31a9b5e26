#!/bin/bash
# expect: HPC017:7 a node has 8
#SBATCH --partition=small-g
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=7
#SBATCH --mem=32G
#SBATCH --gpus-per-node=9

true
