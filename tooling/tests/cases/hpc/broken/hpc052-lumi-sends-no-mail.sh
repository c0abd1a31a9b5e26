#!/bin/bash
# expect: HPC052:5 no effect on LUMI
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --mail-type=END

true
