#!/bin/bash
#SBATCH --job-name=several-nodes
#SBATCH --clusters=ukko
#SBATCH --partition=gpu
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=2
#SBATCH --gpus-per-node=1
#SBATCH --mem=16G
#SBATCH --time=00:30:00
#SBATCH --output=slurm_log/%x_%j.out
#SBATCH --open-mode=append

# Turso, two nodes with one GPU each.
# Nobody has confirmed yet that Turso takes such jobs: ask a lab member,
# and run it small first.
# Submit on turso.cs.helsinki.fi, from the folder that holds train.py:
# mkdir -p slurm_log && sbatch turso-several-nodes.sh train

: "${SLURM_JOB_ID:?submit this file with sbatch}"
: "${1:?name the Python module to run: sbatch turso-several-nodes.sh train}"
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

# Run: one process for each GPU. Each learns its number and where the
# first one listens.
MASTER_ADDR="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"
MASTER_PORT="$((20000 + SLURM_JOB_ID % 10000))"
export MASTER_ADDR MASTER_PORT
ranks='export RANK="$SLURM_PROCID" LOCAL_RANK="$SLURM_LOCALID"
export WORLD_SIZE="$SLURM_NTASKS"; exec "$@"'
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    bash -c "$ranks" rank \
    python -m "$@"
