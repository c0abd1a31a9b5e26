#!/bin/bash
# expect: HPC052:9 write END,FAIL
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --open-mode=append
#SBATCH --array=0-9
#SBATCH --output=slurm_log/%A_%a
#SBATCH --mail-type=ALL

true
