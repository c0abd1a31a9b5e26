# Run in the background: bash handles the signal only while it waits.
again() {
    echo "time is nearly up: the program saves, then the job starts again"
    scancel --signal=TERM "$SLURM_JOB_ID.0"
    wait "$run" || true
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
}
trap again USR1
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    {{python}} -m "$@" &
run=$!
wait "$run"
