# Each task carries out this many lines of the table, one after the other. A
# run that has ended well leaves a mark; submitted again, only the others run.
table={{table}}
each={{each}}
failed=0
mkdir -p runs && printf '%q ' "$@" > "runs/${table%.txt}.program"
last=$((SLURM_ARRAY_TASK_ID * each))
for ((number = last - each + 1; number <= last; number++)); do
    line="$(sed -n "${number}p" "$table")"
    export RUN_DIR="runs/${table%.txt}-$number"
    if [[ -z "$line" || -e "$RUN_DIR/done" ]]; then continue; fi
    read -r -a words <<< "$line"
    mkdir -p "$RUN_DIR"
    rm -f "$RUN_DIR/exit"
    echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" > "$RUN_DIR/job"
    code=0
    srun --cpus-per-task="$SLURM_CPUS_PER_TASK" --output="$RUN_DIR/log.txt" --open-mode=append \
        {{python}} -m "$@" "${words[@]}" || code=$?
    echo "$code" > "$RUN_DIR/exit"
    if [[ "$code" == 0 ]]; then touch "$RUN_DIR/done"; else failed=1; fi
done
exit "$failed"
