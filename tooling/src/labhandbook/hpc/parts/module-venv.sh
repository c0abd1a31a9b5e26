: "${PYTHON_MODULE:?set and export it, see: module avail Python}"
: "${VENV:?set and export it to your environment}"

# Set up the environment
module purge
module load "$PYTHON_MODULE" || exit 1
source "$VENV/bin/activate" || exit 1
set -euo pipefail   # from here on: module files are not written for it

cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
