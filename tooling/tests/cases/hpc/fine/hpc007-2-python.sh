#!/usr/bin/env python3
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
"""What this does.

watch squeue
pip install things
srun <name>
"""
print("a")
