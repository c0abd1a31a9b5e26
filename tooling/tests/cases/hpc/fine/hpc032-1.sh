#!/bin/bash
#SBATCH --time=00:05:00
#SBATCH --mem=32G
#SBATCH --partition=standard-g
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=56

true
