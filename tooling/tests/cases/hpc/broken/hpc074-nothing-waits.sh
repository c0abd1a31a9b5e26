#!/bin/bash
# expect: HPC074:7 ends at once
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append

for seed in 1 2 3; do
    srun --exact -n1 python train.py $seed &
done
echo started
