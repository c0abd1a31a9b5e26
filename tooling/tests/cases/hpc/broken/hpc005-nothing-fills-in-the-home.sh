#!/bin/bash
# expect: HPC005:5 nothing fills in the ~
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --open-mode=append
#SBATCH --output=~/logs/%j.out

true
