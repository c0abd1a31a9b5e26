#!/bin/bash
#SBATCH --partition=small-g
#SBATCH --time=00:05:00
#SBATCH --mem=32G
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=56

true
