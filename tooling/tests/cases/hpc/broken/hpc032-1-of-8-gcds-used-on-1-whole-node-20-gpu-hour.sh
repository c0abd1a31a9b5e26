#!/bin/bash
# expect: HPC032:6 1 of 8 GCDs used on 1 whole node: 20 GPU-hours, and 2.5 GPU-hours with --partition=small-g --cpus-per-task=7
# expect: HPC030:8
#SBATCH --gpus-per-node=1
#SBATCH --mem=32G
#SBATCH --partition=standard-g
#SBATCH --time=05:00:00
#SBATCH --cpus-per-task=16

true
