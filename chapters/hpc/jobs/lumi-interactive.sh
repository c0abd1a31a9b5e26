#!/bin/bash
# A shell on a compute node: one GCD of LUMI for 30 minutes.
# Run it on lumi.csc.fi: bash lumi-interactive.sh
# With words after its name, it runs those and ends:
#   bash lumi-interactive.sh hostname

set -euo pipefail
: "${PROJECT:?set it to your project}"
[[ -z "${SLURM_JOB_ID:-}" ]] || {
    echo "you are in job $SLURM_JOB_ID already: type exit first" >&2; exit 1
}

exec srun --account="$PROJECT" --partition=dev-g --nodes=1 --ntasks=1 \
    --cpus-per-task=7 --gpus-per-node=1 --mem=16G --time=00:30:00 \
    --pty "${@:-bash}"
