#!/bin/bash
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --open-mode=append --output=slurm_log/%A_%a.out
#SBATCH --array=[1-5]

true
