#!/bin/bash
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --signal=B:USR1@300

trap 'kill -TERM $run' USR1
srun python train.py &
run=$!
wait $run
