#!/bin/bash
#SBATCH --partition=small-g --time=00:05:00 --mem=60G --cpus-per-task=7
#SBATCH --ntasks=1 --gpus-per-task=1

true
