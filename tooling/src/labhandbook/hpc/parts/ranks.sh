# Run: one process for each {{unit}}. Each learns its number and where the
# first one listens.
MASTER_ADDR="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"
MASTER_PORT="$((20000 + SLURM_JOB_ID % 10000))"
export MASTER_ADDR MASTER_PORT
ranks='export RANK="$SLURM_PROCID" LOCAL_RANK="$SLURM_LOCALID"
export WORLD_SIZE="$SLURM_NTASKS"; exec "$@"'
{{near}}srun --cpus-per-task="$SLURM_CPUS_PER_TASK"{{bind}} \
    bash -c "$ranks" rank \
    {{python}} -m "$@"
