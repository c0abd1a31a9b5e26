#!/bin/bash
#SBATCH --job-name=selfplay
#SBATCH --partition=small
#SBATCH --array=0-4%2
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=00:15:00
#SBATCH --output=slurm_log/%x_%A_%a.out
#SBATCH --open-mode=append

# Five seeds of self-play, at most two at a time, one core each, on LUMI or
# Roihu-CPU. A task that was killed or reached its time limit continues from
# its last iteration when you submit again.
# Submit: sbatch selfplay-seeds.sh tic-tac-toe

: "${SLURM_ARRAY_TASK_ID:?submit this file with sbatch}"
: "${1:?name the game: sbatch selfplay-seeds.sh tic-tac-toe}"
: "${ENV_DIR:?set and export it to your environment}"
[[ -x "$ENV_DIR/bin/python3" ]] || {
    echo "ENV_DIR: no bin/python3 in $ENV_DIR" >&2; exit 1
}
set -euo pipefail

export PATH="$ENV_DIR/bin:$PATH"
cd "$SLURM_SUBMIT_DIR"

# A task that has ended well leaves its words as a mark; submitted again
# with the same words, the array runs only the others.
export RUN_DIR="runs/$1-$SLURM_ARRAY_TASK_ID"
mkdir -p "$RUN_DIR"
if [[ -e "$RUN_DIR/done" && "$(< "$RUN_DIR/done")" == "$*" ]]; then
    echo "task $SLURM_ARRAY_TASK_ID has ended well before: nothing to do"
    exit 0
fi

srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    python3 -m mhi_selfplay train "$@" --seed "$SLURM_ARRAY_TASK_ID"
echo "$*" > "$RUN_DIR/done"
