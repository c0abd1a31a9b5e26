#!/bin/bash
#SBATCH --job-name=requeue
#SBATCH --partition=small-g
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=7
#SBATCH --gpus-per-node=1
#SBATCH --mem=32G
#SBATCH --time=00:30:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@300

# LUMI, one GCD, for a run that is longer than its time limit: five
# minutes before the end it saves and starts again.
# Your program has to save its state when it gets SIGTERM, and to
# continue from that state when it starts.
# Submit on lumi.csc.fi, from the folder that holds train.py:
# mkdir -p slurm_log && sbatch lumi-requeue.sh train

: "${SLURM_JOB_ID:?submit this file with sbatch}"
: "${1:?name the Python module to run: sbatch lumi-requeue.sh train}"
# Threads of NumPy and PyTorch.
export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK"
: "${SIF:?set and export it to the container file}"

# Set up the environment
module purge
module use /appl/local/laifs/modules
module load lumi-aif-singularity-bindings || exit 1
set -euo pipefail   # from here on: module files are not written for it

options=()
if [[ -n "${PACKAGES:-}" ]]; then
    [[ -r "$PACKAGES" ]] || {
        echo "PACKAGES: cannot read $PACKAGES" >&2; exit 1
    }
    export SINGULARITYENV_PREPEND_PATH=/user-software/bin
    options+=(--bind "$PACKAGES:/user-software:image-src=/")
fi

caches="$(mktemp -d)"   # compiled GPU kernels: not in the home directory
trap 'rm -rf "$caches"' EXIT
export MIOPEN_CUSTOM_CACHE_DIR="$caches/cache"
export MIOPEN_USER_DB_PATH="$caches/config"
export TRITON_CACHE_DIR="$caches/triton"
# What libraries download: not in the home directory either.
downloads="/scratch/${SLURM_JOB_ACCOUNT:-none}/$(id -un)/cache"
export HF_HOME="${HF_HOME:-$downloads/huggingface}"
export TORCH_HOME="${TORCH_HOME:-$downloads/torch}"

cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD"

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
    singularity run "${options[@]}" "$SIF" python -m "$@" &
run=$!
wait "$run"
