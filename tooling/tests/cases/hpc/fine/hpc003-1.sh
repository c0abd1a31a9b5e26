#!/bin/bash
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

# SBATCH lines stand above
##SBATCH --nodes=1
cat <<EOF
#SBATCHX --nodes=1
EOF
