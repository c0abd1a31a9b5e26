[[ "$(uname -m)" == aarch64 ]] || { echo "this is not an ARM node: submit on {{gpu.host}}" >&2; exit 1; }

# Set up the environment
module purge
module load {{software.pytorch}} || exit 1
if [[ -n "${VENV:-}" ]]; then
    source "$VENV/bin/activate" || exit 1
fi
set -euo pipefail   # from here on: module files are not written for it

cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
