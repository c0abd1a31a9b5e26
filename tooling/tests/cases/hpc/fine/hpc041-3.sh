#!/bin/bash
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --open-mode=append
#SBATCH --array=0-4
#SBATCH --output=/dev/null

true
