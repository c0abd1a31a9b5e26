#!/bin/bash
# expect: HPC070:5 4 tasks requested
#SBATCH --partition=small --ntasks=4 --time=00:05:00 --mem=4G

OMP_NUM_THREADS=1 python3 train.py
