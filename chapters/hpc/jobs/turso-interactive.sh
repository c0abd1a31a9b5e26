#!/bin/bash
# A shell on a compute node: one core of Turso for 30 minutes.
# Run it on turso.cs.helsinki.fi: bash turso-interactive.sh
# With words after its name, it runs those and ends:
#   bash turso-interactive.sh hostname

set -euo pipefail
[[ -z "${SLURM_JOB_ID:-}" ]] || {
    echo "you are in job $SLURM_JOB_ID already: type exit first" >&2; exit 1
}

exec srun --clusters=ukko --partition=short --nodes=1 --ntasks=1 \
    --cpus-per-task=1 --mem=4G --time=00:30:00 \
    --pty "${@:-bash}"
