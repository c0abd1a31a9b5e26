#!/bin/bash
# expect: HPC040:5 which this machine can't see
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --open-mode=append
#SBATCH --output=/scratch-of-no-machine/project/logs/%j.out

true
