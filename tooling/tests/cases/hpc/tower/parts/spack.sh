: "${SPACK_ENV:?set and export SPACK_ENV to your environment}"
set -euo pipefail
spack env activate "$SPACK_ENV"

cd "$SLURM_SUBMIT_DIR"
