#!/bin/bash
# Packs the packages of requirements.txt into one file, on top of a
# container with PyTorch.
# Run it on {{host}}: bash {{file}}

set -euo pipefail
: "${PROJECT:?set it to your project}"
: "${SIF:?set it to the container file}"
[[ -r requirements.txt ]] || {
    echo "there is no requirements.txt here" >&2; exit 1
}
place="${PLACE:-{{storage.project.path}}/$PROJECT/$USER}"
[[ ! -e "$place/packages.sqsh" ]] || {
    echo "$place/packages.sqsh exists: move it away first" >&2; exit 1
}

mkdir -p "$place/packages"
make='python -m venv --system-site-packages /user-software'
fill='/user-software/bin/python -m pip install -r requirements.txt'
singularity exec --bind "$place/packages:/user-software" "$SIF" \
    bash -c "$make && $fill"
mksquashfs "$place/packages" "$place/packages.sqsh" \
    -noappend -processors 1 -no-xattrs
rm -r "$place/packages"
echo "export PACKAGES=$place/packages.sqsh"
