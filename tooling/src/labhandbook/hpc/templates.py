"""The parts that a new job script is put together from, per cluster."""

from __future__ import annotations

LUMI_GPU = """\
: "${SIF:?set and export SIF to the container file before sbatch}"

# Set up the environment
module purge
module use /appl/local/laifs/modules
module load lumi-aif-singularity-bindings || exit 1
set -euo pipefail   # from here on: module files are not written for it

options=()
if [[ -n "${PACKAGES:-}" ]]; then
    [[ -r "$PACKAGES" ]] || { echo "PACKAGES: cannot read $PACKAGES" >&2; exit 1; }
    export SINGULARITYENV_PREPEND_PATH=/user-software/bin
    options+=(--bind "$PACKAGES:/user-software:image-src=/")
fi

caches="$(mktemp -d)"   # compiled GPU kernels: not in the home directory
trap 'rm -rf "$caches"' EXIT
export MIOPEN_CUSTOM_CACHE_DIR="$caches/cache" MIOPEN_USER_DB_PATH="$caches/config"

cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD"
"""
ROIHU_GPU = """\
[[ "$(uname -m)" == aarch64 ]] || { echo "this is not an ARM node: submit on roihu-gpu" >&2; exit 1; }

# Set up the environment
module purge
module load python-pytorch/2.10 || exit 1
if [[ -n "${VENV:-}" ]]; then
    source "$VENV/bin/activate" || exit 1
fi
set -euo pipefail   # from here on: module files are not written for it

cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
"""
TURSO = """\
: "${PYTHON_MODULE:?set and export PYTHON_MODULE to a name that module avail Python lists}"
: "${VENV:?set and export VENV to the virtual environment made with that module}"

# Set up the environment
module purge
module load "$PYTHON_MODULE" || exit 1
source "$VENV/bin/activate" || exit 1
set -euo pipefail   # from here on: module files are not written for it

cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
"""
FOLDER = """\
: "${ENV_DIR:?set and export ENV_DIR to the environment whose bin folder holds python3}"
[[ -x "$ENV_DIR/bin/python3" ]] || { echo "ENV_DIR: no bin/python3 in $ENV_DIR" >&2; exit 1; }
set -euo pipefail

export PATH="$ENV_DIR/bin:$PATH"
cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD"
"""
# The environment of a cluster's jobs, and the words that start Python in it; the second of each is for GPU work.
ENVIRONMENTS = {
    "lumi": ((FOLDER, "python3"), (LUMI_GPU, 'singularity run "${options[@]}" "$SIF" python')),
    "roihu": ((FOLDER, "python3"), (ROIHU_GPU, "python3")),
    "turso": ((TURSO, "python"), (TURSO, "python")),
}
HEAD = '''\
: "${{{needed}:?submit this file with sbatch; do not run it on the login node}}"
: "${{1:?name the Python module to run: sbatch {file} train}}"
'''
RUN = 'srun --cpus-per-task="$SLURM_CPUS_PER_TASK" {python} -m "$@"{more}\n'
