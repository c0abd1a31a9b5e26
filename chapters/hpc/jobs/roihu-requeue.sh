#!/bin/bash
#SBATCH --job-name=requeue
#SBATCH --partition=gpumedium
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:gh200:1
#SBATCH --time=00:30:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@300

# Roihu, one GPU, for a run that is longer than its time limit: five
# minutes before the end it saves and starts again.
# Your program has to save its state when it gets SIGTERM, and to
# continue from that state when it starts.
# Submit on roihu-gpu.csc.fi, from the folder that holds train.py:
# mkdir -p slurm_log && sbatch roihu-requeue.sh train

: "${SLURM_JOB_ID:?submit this file with sbatch}"
: "${1:?name the Python module to run: sbatch roihu-requeue.sh train}"
# Threads of NumPy and PyTorch.
export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK"
[[ "$(uname -m)" == aarch64 ]] || {
    echo "this is not an ARM node: submit on roihu-gpu.csc.fi" >&2; exit 1
}

# Set up the environment
module purge
module load python-pytorch/2.10 || exit 1
if [[ -n "${VENV:-}" ]]; then
    source "$VENV/bin/activate" || exit 1
fi
set -euo pipefail   # from here on: module files are not written for it

# What libraries download: not in the home directory.
downloads="/scratch/${SLURM_JOB_ACCOUNT:-none}/$(id -un)/cache"
export HF_HOME="${HF_HOME:-$downloads/huggingface}"
export TORCH_HOME="${TORCH_HOME:-$downloads/torch}"

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
    python3 -m "$@" &
run=$!
wait "$run"
