#!/bin/bash
# Makes a virtual environment with the packages of requirements.txt,
# on the work disk.
# Run it on {{host}}: bash {{file}}

: "${PYTHON_MODULE:?set it, see: module avail Python}"
[[ -r requirements.txt ]] || {
    echo "there is no requirements.txt here" >&2; exit 1
}
venv="${PLACE:-{{storage.work.path}}/$USER}/venv"

module purge
module load "$PYTHON_MODULE" || exit 1
set -euo pipefail   # from here on: module files are not written for it

mkdir -p "$(dirname "$venv")"
python3 -m venv "$venv"
"$venv/bin/python3" -m pip install -r requirements.txt
echo "export VENV=$venv"
