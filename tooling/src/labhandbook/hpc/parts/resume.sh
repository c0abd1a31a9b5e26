# A task that has ended well leaves a mark; submitted again, the array
# runs only the others.
export RUN_DIR="runs/{{run}}-$SLURM_ARRAY_TASK_ID"
mkdir -p "$RUN_DIR"
if [[ -e "$RUN_DIR/done" ]]; then
    echo "task $SLURM_ARRAY_TASK_ID has ended well before: nothing to do"
    exit 0
fi

srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    {{python}} -m "$@" {{last}}
touch "$RUN_DIR/done"
