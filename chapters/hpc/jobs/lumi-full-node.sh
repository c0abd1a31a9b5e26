#!/bin/bash
#SBATCH --job-name=full-node
#SBATCH --partition=standard-g
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=7
#SBATCH --gpus-per-node=8
#SBATCH --mem=480G
#SBATCH --time=00:30:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

# LUMI, all eight GCDs of a node.
# Submit on lumi.csc.fi, from the folder that holds train.py:
# mkdir -p slurm_log && sbatch lumi-full-node.sh train

: "${SLURM_JOB_ID:?submit this file with sbatch}"
: "${1:?name the Python module to run: sbatch lumi-full-node.sh train}"
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

# Run: one process for each GCD. Each learns its number and where the
# first one listens.
MASTER_ADDR="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"
MASTER_PORT="$((20000 + SLURM_JOB_ID % 10000))"
export MASTER_ADDR MASTER_PORT
ranks='export RANK="$SLURM_PROCID" LOCAL_RANK="$SLURM_LOCALID"
export WORLD_SIZE="$SLURM_NTASKS"; exec "$@"'
# Cores near GCD 0, near GCD 1 and so on: process n gets the n-th.
near=0xfe000000000000,0xfe00000000000000,0xfe0000,0xfe000000
near+=,0xfe,0xfe00,0xfe00000000,0xfe0000000000
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" --cpu-bind="mask_cpu:$near" \
    bash -c "$ranks" rank \
    singularity run "${options[@]}" "$SIF" python -m "$@"
