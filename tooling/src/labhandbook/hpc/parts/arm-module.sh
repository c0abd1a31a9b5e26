[[ "$(uname -m)" == aarch64 ]] || {
    echo "this is not an ARM node: submit on {{gpu.host}}" >&2; exit 1
}

# Set up the environment
module purge
module load {{software.pytorch}} || exit 1
if [[ -n "${VENV:-}" ]]; then
    source "$VENV/bin/activate" || exit 1
fi
set -euo pipefail   # from here on: module files are not written for it

# What libraries download: not in the home directory.
downloads="{{storage.scratch.path}}/${SLURM_JOB_ACCOUNT:-none}/$(id -un)/cache"
export HF_HOME="${HF_HOME:-$downloads/huggingface}"
export TORCH_HOME="${TORCH_HOME:-$downloads/torch}"

cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
