#!/bin/bash
# expect: HPC006:9 <project> is a bare placeholder
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

cd "/scratch/<project>"
