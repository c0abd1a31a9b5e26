# Run
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    {{python}} -m "$@"
