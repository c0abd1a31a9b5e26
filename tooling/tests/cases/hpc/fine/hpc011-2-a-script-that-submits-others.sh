#!/bin/bash
for seed in 1 2 3; do
    sbatch job.sh "$seed"
done
