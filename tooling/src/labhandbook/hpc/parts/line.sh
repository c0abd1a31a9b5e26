line="$(sed -n "${SLURM_ARRAY_TASK_ID}p" grid.txt)"
[[ -n "$line" ]] || {
    echo "grid.txt has no line $SLURM_ARRAY_TASK_ID" >&2; exit 1
}
read -r -a words <<< "$line"

