#!/bin/bash
#SBATCH --job-name=several-nodes
#SBATCH --partition=gpumedium
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=72
#SBATCH --gres=gpu:gh200:2
#SBATCH --time=00:30:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

# Roihu, two nodes with two GPUs each: shows that your program works
# across nodes. More needs gpularge.
# Submit on roihu-gpu.csc.fi, from the folder that holds train.py:
# mkdir -p slurm_log && sbatch roihu-several-nodes.sh train

: "${SLURM_JOB_ID:?submit this file with sbatch}"
: "${1:?name the Python module to run: sbatch roihu-several-nodes.sh train}"
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

# Run: one process for each GPU. Each learns its number and where the
# first one listens.
MASTER_ADDR="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"
MASTER_PORT="$((20000 + SLURM_JOB_ID % 10000))"
export MASTER_ADDR MASTER_PORT
ranks='export RANK="$SLURM_PROCID" LOCAL_RANK="$SLURM_LOCALID"
export WORLD_SIZE="$SLURM_NTASKS"; exec "$@"'
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    bash -c "$ranks" rank \
    python3 -m "$@"
