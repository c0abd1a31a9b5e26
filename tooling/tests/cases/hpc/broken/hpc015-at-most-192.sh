#!/bin/bash
# cluster: roihu
# expect: HPC015:9 at most 192
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --partition=longrun
#SBATCH --cpus-per-task=193

true
