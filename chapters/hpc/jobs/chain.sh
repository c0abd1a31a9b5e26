#!/bin/bash
# Submits job scripts that run one after the other, each when the one before
# has ended well. Run it on the login node:
# bash chain.sh prepare.sh train.sh evaluate.sh

set -euo pipefail
: "${1:?name the job scripts in their order: bash chain.sh a.sh b.sh}"

before=""
for script in "$@"; do
    [[ -r "$script" ]] || { echo "cannot read $script" >&2; exit 1; }
    wait_for=()
    if [[ -n "$before" ]]; then
        # If the job before fails, Slurm removes this one.
        # Else it would wait for ever.
        wait_for=(--dependency=afterok:"$before" --kill-on-invalid-dep=yes)
    fi
    answer="$(sbatch --parsable "${wait_for[@]}" "$script")"
    before="${answer%%;*}"
    echo "$before $script"
done
