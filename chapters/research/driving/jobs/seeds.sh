#!/bin/bash
#SBATCH --job-name=driving
#SBATCH --partition=small
#SBATCH --array=0-4%2
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=00:15:00
#SBATCH --signal=B:USR1@60
#SBATCH --requeue
#SBATCH --output=slurm_log/%x_%A_%a.out
#SBATCH --open-mode=append

# Five seeds of a preset, at most two at a time, one core each, on LUMI or
# Roihu-CPU. A minute before the time limit a task saves and starts again.
# Submitted again, the array runs only what has not ended well.
# Submit it from a folder of your own: sbatch seeds.sh --preset d4pg

: "${SLURM_ARRAY_TASK_ID:?submit this file with sbatch}"
: "${ENV_DIR:?set and export it to your environment}"
[[ -x "$ENV_DIR/bin/python3" ]] || {
    echo "ENV_DIR: no bin/python3 in $ENV_DIR" >&2; exit 1
}
set -euo pipefail

export PATH="$ENV_DIR/bin:$PATH"
cd "$SLURM_SUBMIT_DIR"

# A task that has ended well leaves its words as a mark; submitted again
# with the same words, the array runs only the others.
export RUN_DIR="runs/seed-$SLURM_ARRAY_TASK_ID"
mkdir -p "$RUN_DIR"
if [[ -e "$RUN_DIR/done" && "$(< "$RUN_DIR/done")" == "$*" ]]; then
    echo "task $SLURM_ARRAY_TASK_ID has ended well before: nothing to do"
    exit 0
fi

# Run in the background: bash handles the signal only while it waits.
again() {
    echo "time is nearly up: the program saves, then the task starts again"
    scancel --signal=TERM "$SLURM_JOB_ID.0"
    wait "$run" || true
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
}
trap again USR1
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    python3 -m mhi_driving train "$@" --seed "$SLURM_ARRAY_TASK_ID" &
run=$!
wait "$run"
echo "$*" > "$RUN_DIR/done"
