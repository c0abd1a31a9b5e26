#!/bin/bash
# Makes a virtual environment with the packages of requirements.txt,
# on top of the PyTorch module.
# Run it on {{gpu.host}}: bash {{file}}

: "${PROJECT:?set it to your project}"
[[ -r requirements.txt ]] || {
    echo "there is no requirements.txt here" >&2; exit 1
}
[[ "$(uname -m)" == aarch64 ]] || {
    echo "this is not an ARM machine: run it on {{gpu.host}}" >&2
    exit 1
}
venv="${PLACE:-{{storage.projappl.path}}/$PROJECT/$USER}/venv-gpu"

module purge
module load {{software.pytorch}} || exit 1
set -euo pipefail   # from here on: module files are not written for it

mkdir -p "$(dirname "$venv")"
python3 -m venv --system-site-packages "$venv"
"$venv/bin/python3" -m pip install -r requirements.txt
echo "export VENV=$venv"
