: "${ENV_DIR:?set and export it to your environment}"
[[ -x "$ENV_DIR/bin/python3" ]] || {
    echo "ENV_DIR: no bin/python3 in $ENV_DIR" >&2; exit 1
}
set -euo pipefail

export PATH="$ENV_DIR/bin:$PATH"
cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD"
