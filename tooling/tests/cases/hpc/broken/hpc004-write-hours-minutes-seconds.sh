#!/bin/bash
# expect: HPC004:7 write hours:minutes:seconds
#SBATCH --partition=small
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --time=5h

true
