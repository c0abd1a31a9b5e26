#!/bin/bash
#SBATCH --partition=small-g
#SBATCH --time=00:05:00
#SBATCH --mem=480G
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=56

true
