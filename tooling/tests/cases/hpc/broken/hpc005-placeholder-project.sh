#!/bin/bash
# expect: HPC005:5 placeholders are left: --account (<project>)
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --account=<project>

true
