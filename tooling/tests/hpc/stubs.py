"""Stand-ins for what the machine of the tests lacks: modules, containers, ARM, squashfs.

A virtual environment is made without a pip of its own, which takes seconds: that of the system serves.
"""

from __future__ import annotations

import sys
from pathlib import Path

PYTHON = f"""\
if [ "$1 $2" = "-m venv" ]; then
  shift 2
  exec {sys.executable} -m venv --system-site-packages --without-pip "$@"
fi
exec {sys.executable} "$@"
"""
STUBS = {
    "module": "exit 0",
    "singularity": """\
while [ "$1" != "${1#-}" ] || [ "$1" = run ] || [ "$1" = exec ] || [ "${1%.sif}" != "$1" ] || [ -z "${1##*:*}" ]; do
  case "$1" in *:/user-software) bound="${1%%:*}";; esac
  shift
done
if [ "$1" = bash ]; then
  exec bash -c "$(printf %s "$3" | sed "s#/user-software#$bound#g")"
fi
exec "$@"
""",
    "uname": 'if [ "$1" = -m ]; then echo aarch64; else exec /usr/bin/uname "$@"; fi',
    "rocm-smi": 'echo "GPU of $SLURM_JOB_ID"',
    "nvidia-smi": 'echo "GPU of $SLURM_JOB_ID"',
    "mksquashfs": 'test -d "$1" && : > "$2"',
    "python": PYTHON,
    "python3": PYTHON,
}


def write(folder: Path) -> Path:
    """Write the programs into a folder for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in STUBS.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return folder
