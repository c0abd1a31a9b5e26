#!/bin/bash
#SBATCH --time=00:05:00
#SBATCH --cpus-per-task=7
#SBATCH --partition=standard-g
#SBATCH --gpus-per-node=8
#SBATCH --mem=480G

true
