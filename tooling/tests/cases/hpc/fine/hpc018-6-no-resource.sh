#!/bin/bash
#SBATCH --partition=small --time=00:05:00 --mem=1G
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --gres=none --gpus=0

true
