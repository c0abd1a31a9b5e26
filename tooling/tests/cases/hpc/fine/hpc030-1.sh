#!/bin/bash
#SBATCH --partition=small-g
#SBATCH --time=00:05:00
#SBATCH --mem=32G
#SBATCH --cpus-per-task=14
#SBATCH --gpus-per-node=2

true
