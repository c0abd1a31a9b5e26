#!/bin/bash
# expect: HPC012:4 sources disagree
#SBATCH --partition=dev-g --gpus-per-node=1 --cpus-per-task=7
#SBATCH --time=03:00:00

true
