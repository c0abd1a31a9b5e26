# Run: torchrun starts one process for each {{unit}} of its
# node. Slurm starts one torchrun on each node.
MASTER_ADDR="$(scontrol show hostnames "$SLURM_JOB_NODELIST" |
    head -n 1)"
port="$((20000 + SLURM_JOB_ID % 10000))"
export OMP_NUM_THREADS="$((SLURM_CPUS_PER_TASK / {{gpus}}))"
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    {{python}} -m torch.distributed.run \
    --nnodes="$SLURM_NNODES" --nproc-per-node={{gpus}} \
    --rdzv-backend=c10d --rdzv-id="$SLURM_JOB_ID" \
    --rdzv-endpoint="$MASTER_ADDR:$port" -m "$@"
