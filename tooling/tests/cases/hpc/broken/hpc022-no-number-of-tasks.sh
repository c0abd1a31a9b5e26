#!/bin/bash
# expect: HPC022:4 without --ntasks
#SBATCH --partition=small-g --time=00:05:00 --mem=60G --cpus-per-task=7
#SBATCH --gpus-per-task=1

true
