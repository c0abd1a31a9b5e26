#!/bin/bash
# cluster: roihu
# expect: HPC032:8 1 of 384 cores used
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --partition=medium

true
