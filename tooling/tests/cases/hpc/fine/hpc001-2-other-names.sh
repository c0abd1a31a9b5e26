#!/bin/bash
#SBATCH --partition=small-g --time=00:05:00 --mem=32G --cpus-per-task=7
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append
#SBATCH --tasks-per-node=1 --acctg-freq=task=0 --gpus=1 --ntasks-per-tres=1

true
