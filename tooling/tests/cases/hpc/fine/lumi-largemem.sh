#!/bin/bash
#SBATCH --job-name=join-tables
#SBATCH --partition=largemem
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=128
#SBATCH --mem=2000G
#SBATCH --time=06:00:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

srun --cpus-per-task="$SLURM_CPUS_PER_TASK" "$SCRATCH_ENV/bin/python3" -m join
