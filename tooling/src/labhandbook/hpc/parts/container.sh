: "${SIF:?set and export it to the container file}"

# Set up the environment
module purge
module use {{software.modules}}
module load {{software.bindings}} || exit 1
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
downloads="{{storage.scratch.path}}/${SLURM_JOB_ACCOUNT:-none}/$(id -un)/cache"
export HF_HOME="${HF_HOME:-$downloads/huggingface}"
export TORCH_HOME="${TORCH_HOME:-$downloads/torch}"

cd "$SLURM_SUBMIT_DIR"
export PYTHONPATH="$PWD"
