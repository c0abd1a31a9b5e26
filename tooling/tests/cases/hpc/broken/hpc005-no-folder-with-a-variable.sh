#!/bin/bash
# expect: HPC005:5 nothing fills in the variable
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --open-mode=append
#SBATCH --output=/scratch/project/$USER/%j.out

true
