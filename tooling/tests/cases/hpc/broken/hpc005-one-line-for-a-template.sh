#!/bin/bash
# expect: HPC005:3 and in the commands <my_app>, <args>
#SBATCH --account=project_<id> --partition=<partition> --nodes=<n>
#SBATCH --time=00:10:00 --output=slurm_log/%x_%j.out --open-mode=append

srun <my_app> <args>
