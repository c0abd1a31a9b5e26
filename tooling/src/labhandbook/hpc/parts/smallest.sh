set -euo pipefail
: "${SLURM_JOB_ID:?submit this file with sbatch; do not run it on the login node}"

echo "job $SLURM_JOB_ID in partition $SLURM_JOB_PARTITION, on the account of ${SLURM_JOB_ACCOUNT:-nobody}"
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" hostname
