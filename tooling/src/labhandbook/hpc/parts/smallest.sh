set -euo pipefail
: "${SLURM_JOB_ID:?submit this file with sbatch}"

echo "job $SLURM_JOB_ID in $SLURM_JOB_PARTITION" \
    "for ${SLURM_JOB_ACCOUNT:-nobody}"
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" hostname
