# A task that has ended well leaves its words as a mark; submitted again
# with the same words, the array runs only the others.
export RUN_DIR="runs/$1-{{run}}-$SLURM_ARRAY_TASK_ID"
mkdir -p "$RUN_DIR"
if [[ -e "$RUN_DIR/done" && "$(< "$RUN_DIR/done")" == "{{words}}" ]]; then
    echo "task $SLURM_ARRAY_TASK_ID has ended well before: nothing to do"
    exit 0
fi

srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    {{python}} -m "$@" {{last}}
echo "{{words}}" > "$RUN_DIR/done"
