#!/bin/bash
#SBATCH --job-name=smallest
#SBATCH --clusters=ukko
#SBATCH --partition=short
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=500M
#SBATCH --time=00:05:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

# One core for a few seconds, on Ukko of Turso: shows that project,
# partition and log folder work.
# Submit on turso.cs.helsinki.fi:
# mkdir -p slurm_log && sbatch turso-cpu-smallest.sh

set -euo pipefail
: "${SLURM_JOB_ID:?submit this file with sbatch}"

echo "job $SLURM_JOB_ID in $SLURM_JOB_PARTITION" \
    "for ${SLURM_JOB_ACCOUNT:-nobody}"
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" hostname
