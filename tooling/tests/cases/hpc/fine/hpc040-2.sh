#!/bin/bash
# folders: none
#SBATCH --partition=small
#SBATCH --time=00:05:00
#SBATCH --mem=1G
#SBATCH --open-mode=append
#SBATCH --output=/dev/null

true
