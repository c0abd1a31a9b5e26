#!/bin/bash
#SBATCH --job-name=requeue
#SBATCH --clusters=ukko
#SBATCH --partition=gpu
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=2
#SBATCH --gpus=1
#SBATCH --mem=16G
#SBATCH --time=00:30:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@300

# Turso, one GPU, for a run that is longer than its time limit: five
# minutes before the end it saves and starts again.
# Your program has to save its state when it gets SIGTERM, and to
# continue from that state when it starts.
# Nobody has confirmed yet that Turso takes such jobs: ask a lab member,
# and run it small first.
# Submit on turso.cs.helsinki.fi, from the folder that holds train.py:
# mkdir -p slurm_log && sbatch turso-requeue.sh train

: "${SLURM_JOB_ID:?submit this file with sbatch}"
: "${1:?name the Python module to run: sbatch turso-requeue.sh train}"
# Threads of NumPy and PyTorch.
export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK"
: "${PYTHON_MODULE:?set and export it, see: module avail Python}"
: "${VENV:?set and export it to your environment}"

# Set up the environment
module purge
module load "$PYTHON_MODULE" || exit 1
source "$VENV/bin/activate" || exit 1
set -euo pipefail   # from here on: module files are not written for it

cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"

# Run in the background: bash handles the signal only while it waits.
again() {
    echo "time is nearly up: the program saves, then the job starts again"
    scancel --signal=TERM "$SLURM_JOB_ID.0"
    wait "$run" || true
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
}
trap again USR1
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    python -m "$@" &
run=$!
wait "$run"
