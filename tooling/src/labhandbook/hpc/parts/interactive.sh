#!/bin/bash
# A shell on a compute node: one {{what}} of {{name}} for {{minutes}} minutes.
# Run it on {{host}}: bash {{file}}
# With words after its name, it runs those and ends:
#   bash {{file}} hostname

set -euo pipefail
{{check}}[[ -z "${SLURM_JOB_ID:-}" ]] || {
    echo "you are in job $SLURM_JOB_ID already: type exit first" >&2; exit 1
}

exec srun {{options}} \
    {{size}} \
    --pty "${@:-bash}"
