#!/bin/bash
# cluster: turso
# expect: HPC052:6 write END,FAIL
#SBATCH --partition=short --time=00:05:00 --mem=1G --array=0-9
#SBATCH --output=slurm_log/%A_%a
#SBATCH --mail-type=ALL

true
