#!/bin/bash
#SBATCH --job-name=one-gpu
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

# Turso, one GPU.
# Submit on turso.cs.helsinki.fi, from the folder that holds train.py:
# mkdir -p slurm_log && sbatch turso-one-gpu.sh train

: "${SLURM_JOB_ID:?submit this file with sbatch}"
: "${1:?name the Python module to run: sbatch turso-one-gpu.sh train}"
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

# Run
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    python -m "$@"
