#!/bin/bash
#SBATCH --partition=standard --time=00:05:00 --nodes=1 --ntasks-per-node=32 --cpus-per-task=4
#SBATCH hetjob
#SBATCH --partition=standard --nodes=2 --ntasks-per-node=4 --cpus-per-task=32

srun --het-group=0 hostname : --het-group=1 hostname
