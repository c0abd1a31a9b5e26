#!/bin/bash
#SBATCH --partition=small-g
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=7
#SBATCH --gpus-per-node=1
#SBATCH --mem=60G

true
