#!/bin/bash
#SBATCH --partition=small --time=00:05:00 --mem=1G --nodes=4
#SBATCH --output=slurm_log/%x_%j.out --open-mode=append

python prepare.py --check && ssh other python train.py
./everywhere.sh
