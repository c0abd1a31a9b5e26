#!/bin/bash
# A shell on a compute node: one GPU of Roihu for 15 minutes.
# Run it on roihu-gpu.csc.fi: bash roihu-interactive.sh
# With words after its name, it runs those and ends:
#   bash roihu-interactive.sh hostname

set -euo pipefail
: "${PROJECT:?set it to your project}"
[[ -z "${SLURM_JOB_ID:-}" ]] || {
    echo "you are in job $SLURM_JOB_ID already: type exit first" >&2; exit 1
}

exec srun --account="$PROJECT" --partition=gputest --nodes=1 --ntasks=1 \
    --cpus-per-task=72 --gres=gpu:gh200:1 --time=00:15:00 \
    --pty "${@:-bash}"
