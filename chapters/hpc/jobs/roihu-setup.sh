#!/bin/bash
# Makes a virtual environment with the packages of requirements.txt,
# on top of the PyTorch module.
# Run it on roihu-gpu.csc.fi: bash roihu-setup.sh

: "${PROJECT:?set it to your project}"
[[ -r requirements.txt ]] || {
    echo "there is no requirements.txt here" >&2; exit 1
}
[[ "$(uname -m)" == aarch64 ]] || {
    echo "this is not an ARM machine: run it on roihu-gpu.csc.fi" >&2
    exit 1
}
venv="${PLACE:-/projappl/$PROJECT/$USER}/venv-gpu"

module purge
module load python-pytorch/2.10 || exit 1
set -euo pipefail   # from here on: module files are not written for it

mkdir -p "$(dirname "$venv")"
python3 -m venv --system-site-packages "$venv"
"$venv/bin/python3" -m pip install -r requirements.txt
echo "export VENV=$venv"
